#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string_view>

#include "core/base/error.hpp"

namespace tempera::detail {

/// File that is written under a temporary name beside its own and appears under its own name at commit().
/// Destroyed before that, it leaves nothing behind.
class OutputFile {
 public:
  /// @throws Error{environment} if the folder is missing or not writable
  explicit OutputFile(std::filesystem::path path);
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  virtual ~OutputFile();

  /// @throws Error{environment} if the disk is full
  virtual void write(std::string_view bytes);
  /// Flushes to the disk and renames.
  virtual void commit();

  const std::filesystem::path& path() const { return path_; }
  const std::filesystem::path& temporary_path() const { return temporary_; }

 protected:
  int descriptor() const { return descriptor_; }
  [[noreturn]] void fail(int error_number) const;

 private:
  std::filesystem::path path_;
  std::filesystem::path temporary_;
  int descriptor_ = -1;
};

/// Plain, or compressed if the name ends in ".gz".
std::unique_ptr<OutputFile> open_text_output(const std::filesystem::path& path);

/// The Error for output that could not be written because of this errno.
Error output_file_error(const std::filesystem::path& path, int error_number);

}  // namespace tempera::detail
