#pragma once

#include <filesystem>

#include "core/base/atomic_file.hpp"

namespace tempera::detail {

/// Refuses what does not fit the disk of a file that is being written, or the process's limit of file sizes.
/// @throws Error{environment} saying what is needed and what is free
void check_room(const AtomicFile& output, double bytes);

/// Copies what is no hole and makes the sizes equal. Returns 0 or the errno of the failure.
int copy_data(int from, int to);
int copy_data(int from, const std::filesystem::path& to);

}  // namespace tempera::detail
