#pragma once

#include <string>

namespace tempera::detail {

/// What the readers of dense formats advise about a refused NaN cell.
inline constexpr const char* kMissingCellHint =
    "decompose --missing unobserved takes NaN for a missing cell; tempera convert --drop-missing writes the tensor "
    "without them as .tns";

/// Refuses before the allocation a block that does not fit the memory of this machine. A claimed size costs nothing
/// to write down (files can have holes), so no header is a reason to allocate what it says.
/// @param where  the file, as errors name it
/// @throws Error{environment} with both figures
void check_block_memory(const std::string& where, double bytes);

}  // namespace tempera::detail
