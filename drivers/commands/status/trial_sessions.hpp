#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <vector>

namespace tempera::drivers {

/// A trial on its worker, in seconds since its session began.
struct WorkedTrial {
  std::int64_t number = 0;
  std::int64_t worker = -1;  ///< −1: not known
  double began = 0;
  double ended = std::numeric_limits<double>::infinity();  ///< no result yet: infinity
};

/// The trials of each process that worked on an optimisation, in the order of their beginning, as its journal tells; of a damaged
/// one the lines before the damage count.
std::vector<std::vector<WorkedTrial>> trial_sessions(const std::filesystem::path& journal);

}  // namespace tempera::drivers
