#pragma once

#include <filesystem>
#include <memory>
#include <string_view>

namespace tempera::detail {

/// Text that appears under its name at commit() and not before, compressed or plain.
class TextOutput {
 public:
  virtual ~TextOutput() = default;
  /// @throws Error{environment} if the disk is full
  virtual void write(std::string_view bytes) = 0;
  virtual void commit() = 0;
};

/// Compressed if the name ends in ".gz".
std::unique_ptr<TextOutput> open_text_output(const std::filesystem::path& path);

}  // namespace tempera::detail
