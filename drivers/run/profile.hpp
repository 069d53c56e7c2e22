#pragma once

#include <filesystem>

#include "distributed/communicator/communicator.hpp"

namespace tempera::drivers {

/// From here on the passes of all ranks through timed regions are kept: a million in all, and no more than 100,000 a rank (4 MB).
void begin_profile(const Communicator& world);

/// Writes them as a trace for chrome://tracing, Perfetto or speedscope: the ranks in their order, by node, on one clock (to the
/// time that a barrier takes). Collective. Memory: 150 bytes a pass of one rank.
/// @param file  of rank 0, whole or not at all; the others' is not used
/// @throws Error{environment} on all ranks if it cannot be written, inside collectively
void write_profile(const Communicator& world, const std::filesystem::path& file);

}  // namespace tempera::drivers
