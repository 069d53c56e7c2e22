#pragma once

#include <cstdint>
#include <filesystem>

#include "core/base/error.hpp"

namespace tempera {

/// Checks that `path` is a readable file that is not empty, and returns its size in bytes.
/// @throws Error{input} for a missing file, a directory or an empty file; Error{environment} without permission
std::int64_t check_input_file(const std::filesystem::path& path);

/// The Error for a file that could not be opened or read for reading with this errno.
Error input_file_error(const std::filesystem::path& path, int error_number);

}  // namespace tempera
