#pragma once

#include <cstdint>

namespace tempera {

/// Memory of this machine in bytes, as the system says: installed, and free for new work without swapping (never more
/// than a control group of a container or batch job allows in all). Infinity where the system does not say.
double total_memory();
double available_memory();

/// Resident memory of this process now, and its highest so far, in bytes.
std::int64_t resident_bytes();
std::int64_t peak_resident_bytes();

}  // namespace tempera
