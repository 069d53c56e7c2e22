#pragma once

#include <cstdint>
#include <filesystem>

namespace tempera {

/// Memory of this machine in bytes, as the system says: installed, and free for new work without swapping (never more
/// than the control groups of a container or batch job leave). Infinity where the system does not say.
double total_memory();
double available_memory();

/// What the memory control groups of a process (version 1 or 2) leave for new work: the least over its own group and
/// those around it of limit − use + page cache that can be dropped. Infinity without a limit.
/// @param membership  like /proc/self/cgroup
/// @param mount       where the control groups are mounted, like /sys/fs/cgroup
double memory_left_in_groups(const std::filesystem::path& membership, const std::filesystem::path& mount);

/// Resident memory of this process now, and its highest so far, in bytes.
std::int64_t resident_bytes();
std::int64_t peak_resident_bytes();

}  // namespace tempera
