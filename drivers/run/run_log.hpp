#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "core/base/progress.hpp"

namespace tempera::drivers {

/// What a run says while it works, on rank 0: warnings and progress for people, progress.jsonl for monitors. A disk that
/// takes no more lines is warned about once and ends nothing.
class RunLog {
 public:
  explicit RunLog(bool quiet) : quiet_(quiet) {}

  /// From here on steps are appended to `file`; again after the folder was made anew. @throws Error{environment}
  void open(const std::filesystem::path& file);
  void close() { progress_.reset(); }
  /// Bytes of the file so far: what a run that goes on from here keeps.
  std::int64_t bytes() const;
  /// Forgets what follows the first `bytes` bytes. @pre open @throws Error{environment}
  void cut(std::int64_t bytes);

  /// One step is done: a record for the file, a line for the people. @pre open
  void step(const nlohmann::ordered_json& record, std::string line);
  /// A record without a line.
  void record(const nlohmann::ordered_json& record);
  /// A line that stays.
  void note(const std::string& line);
  /// "tempera: warning: TEXT", also before the file is open.
  void warn(const std::string& text);
  /// Shows the last line if it is still hidden.
  void finish_line();

 private:
  bool quiet_;
  std::filesystem::path file_;
  std::optional<Progress> progress_;
  bool warned_ = false;
};

}  // namespace tempera::drivers
