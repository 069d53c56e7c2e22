#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "distributed/tensor/holdout.hpp"

namespace tempera {

/// Loss of the cells of one kind that were kept apart.
struct StratumScore {
  std::string name;
  Index held = 0;
  double cells = 0;           ///< of this kind in the whole tensor
  double mean = 0;            ///< loss of a cell: squared error, or deviance
  double standard_error = 0;  ///< not a number with one cell
};

/// The same for the whole tensor: the mean over all its cells, estimated from those kept apart by weighting each stratum
/// with its number of cells (strata of which none was kept apart are left out).
struct HoldoutScore {
  double mean = 0;
  double standard_error = 0;
  std::vector<StratumScore> strata;
};

/// @param sums  for each stratum the sum of the losses of its cells and that of their squares; may be empty
/// None where nothing was kept apart.
std::optional<HoldoutScore> holdout_score(std::span<const HoldoutStratum> strata, std::span<const double> sums);

}  // namespace tempera
