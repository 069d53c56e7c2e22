#pragma once

#include <filesystem>
#include <string>

#include "core/base/index.hpp"

namespace tempera {

/// What a child writes to one of its streams: a pipe of which the beginning and the end are kept in a file, half of `cap` each,
/// with a line between them that says how much is left out. The file is made with the first byte.
class TrialOutput {
 public:
  /// @pre cap ≥ 2  @throws Error{environment} if the process has too many open files
  TrialOutput(std::filesystem::path file, Index cap);
  ~TrialOutput();
  TrialOutput(const TrialOutput&) = delete;
  TrialOutput& operator=(const TrialOutput&) = delete;

  /// For the child's standard output or error.
  int writing_end() const { return writing_end_; }
  /// Once the child has its own copy.
  void close_writing_end();

  /// Takes what has come, without waiting, up to 1 MiB. @throws Error{environment} if the file cannot be written
  void read();
  /// The last read; completes the file. Once.
  void finish();

  /// The last bytes that came, up to cap/2, and whether these are all.
  const std::string& recent() const { return recent_; }
  bool is_complete() const { return total_ == std::ssize(recent_); }

 private:
  bool read_some();
  void keep(const char* bytes, Index count);
  void write(const char* bytes, Index count);

  std::filesystem::path file_;
  Index half_;
  int reading_end_ = -1;
  int writing_end_ = -1;
  int descriptor_ = -1;
  Index total_ = 0;
  std::string recent_;
};

}  // namespace tempera
