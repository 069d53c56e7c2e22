#include "distributed/als/cp_fit.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/base/error.hpp"

namespace tempera {

namespace {

/// Below this share of ‖X‖² the squared residual is summed cell by cell: the formula has lost six of its digits.
constexpr double kCancellation = 1e-10;
constexpr double kEpsilon = 2.220446049250313e-16;

void check_finite(double residual_squared) {
  if (std::isfinite(residual_squared)) return;
  throw Error(Category::numerical, "", "the fit is not finite: the model overflows",
              "scale the tensor, for example to unit maximum, or choose another --seed");
}

}  // namespace

CpFit observed_fit(const DistributedTensor& tensor, std::span<const FactorMatrix> factors,
                   std::span<const double> weights) {
  const Communicator& ranks = tensor.grid().active_ranks();
  const auto region = ranks.regions().open("residual");
  const double residual_squared = ranks.broadcast_value(
      ranks.all_reduce_value(tensor.residual_sums(factors, weights).residual_squared, Reduction::sum), 0);
  check_finite(residual_squared);
  const double relative_error = std::sqrt(residual_squared / tensor.norm_squared());
  return {relative_error, 4 * kEpsilon * relative_error, residual_squared};
}

CpFit fit_of(const DistributedTensor& tensor, std::span<const FactorMatrix> factors, std::span<const double> weights,
             double inner_product, double model_squared) {
  if (tensor.only_observed()) return observed_fit(tensor, factors, weights);
  const Communicator& ranks = tensor.grid().active_ranks();
  const double norm_squared = tensor.norm_squared();
  double held_squared = 0;  // of the model on cells that are kept apart
  if (!tensor.holdout().empty()) {
    const std::vector<double> held = model_values(tensor.holdout().cells, factors, weights);
    held_squared =
        ranks.all_reduce_value(std::inner_product(held.begin(), held.end(), held.begin(), 0.0), Reduction::sum);
    model_squared -= held_squared;
  }
  double residual_squared = norm_squared - 2 * inner_product + model_squared;
  // Rounding of three terms of about ‖X‖²; the constant covers the length of the sums.
  double uncertainty = 8 * kEpsilon * (norm_squared + 2 * std::abs(inner_product) + model_squared + held_squared);
  // What follows decides on collectives and on stopping, so one rank's figure holds for all: ranks of one job may run
  // on different processors.
  residual_squared = ranks.broadcast_value(residual_squared, 0);
  check_finite(residual_squared);
  if (residual_squared < kCancellation * norm_squared) {
    const auto region = ranks.regions().open("residual");
    const ResidualSums local = tensor.residual_sums(factors, weights);
    double sums[2] = {local.residual_squared, local.model_squared};
    ranks.all_reduce(std::span<double>(sums), Reduction::sum);
    residual_squared = sums[0];
    uncertainty = 8 * kEpsilon * sums[0];
    if (tensor.every_cell_stored()) {
      // The cells that are kept apart are stored as zeros.
      residual_squared = ranks.broadcast_value(std::max(0.0, sums[0] - held_squared), 0);
    } else {
      // The cells that are zero and not stored hold ‖M‖² minus the model's squares on the stored ones.
      const double elsewhere = ranks.broadcast_value(std::max(0.0, model_squared - sums[1]), 0);
      residual_squared += elsewhere;
      uncertainty += 8 * kEpsilon * (model_squared + sums[1]);
    }
  }
  residual_squared = std::max(0.0, residual_squared);
  const double relative_error = std::sqrt(residual_squared / norm_squared);
  return {relative_error, std::sqrt((residual_squared + uncertainty) / norm_squared) - relative_error,
          residual_squared};
}

}  // namespace tempera
