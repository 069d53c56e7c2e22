#pragma once

#include <limits>
#include <span>

namespace tempera {

/// A value and its derivatives with respect to the mean and the standard deviation of the normal distribution that it is
/// a function of. Where a logarithm is below the range of numbers it is −infinity and its derivatives are 0.
struct MomentValue {
  double value = -std::numeric_limits<double>::infinity();
  double by_mean = 0;
  double by_sd = 0;
};

// Each function is of f ~ N(mean, sd²), sd > 0; smaller f are better, larger values of the functions are.

/// E max(best − f, 0).
MomentValue expected_improvement(double mean, double sd, double best);
/// Its logarithm, relative error about 1e-12 however far the mean lies from the best (Ament et al. 2023, in a form without
/// cancellation).
MomentValue log_expected_improvement(double mean, double sd, double best);
/// log P(f ≤ limit).
MomentValue log_probability_below(double mean, double sd, double limit);
/// beta·sd − mean: the negative lower confidence bound.
MomentValue confidence_bound(double mean, double sd, double beta);

/// log of the mean of exp(values), exactly the value if all are equal. −infinity if all are.
/// @param shares  as many entries, overwritten: derivatives of the result with respect to the values, exactly 1/n if all
///                are equal; may be empty
/// @pre at least one value, none is NaN or +infinity
double log_mean_exp(std::span<const double> values, std::span<double> shares = {});

}  // namespace tempera
