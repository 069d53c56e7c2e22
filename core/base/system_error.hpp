#pragma once

#include <filesystem>
#include <string_view>

#include "core/base/error.hpp"

namespace tempera {

/// "FILE: cannot be written: No space left on device" as Error{environment}, with a hint that fits the reason.
Error write_error(const std::filesystem::path& file, int error_number);

/// Writes everything to a POSIX file descriptor, however many calls it takes. Returns 0 or the errno of the failure.
int write_all(int descriptor, std::string_view bytes);

}  // namespace tempera
