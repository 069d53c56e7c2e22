#include "core/sampling/explorers/detail/step_size.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <boost/math/special_functions/erf.hpp>
#include <cmath>

#include "core/base/contract.hpp"

namespace tempera {

namespace {

Eigen::MatrixXd matrix_of(const ChainTuning& tuning, bool dense) {
  using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const auto n = static_cast<Eigen::Index>(tuning.scales.size());
  if (dense && !tuning.covariance_factor.empty())
    return Eigen::Map<const RowMajor>(tuning.covariance_factor.data(), n, n);
  return Eigen::Map<const Eigen::VectorXd>(tuning.scales.data(), n).asDiagonal();
}

/// Mean of ω^(2·order).
double mean_power(const ChainTuning& before, const ChainTuning& after, bool dense, int order) {
  const std::size_t n = before.scales.size();
  TEMPERA_EXPECTS(after.scales.size() == n && n > 0);
  if (dense && (!before.covariance_factor.empty() || !after.covariance_factor.empty())) {
    const Eigen::MatrixXd relative =
        matrix_of(after, true).triangularView<Eigen::Lower>().solve(matrix_of(before, true));
    const Eigen::MatrixXd squares = relative.transpose() * relative;
    double sum = squares.trace();
    if (order == 2) sum = squares.squaredNorm();
    if (order == 3) sum = (squares * squares).cwiseProduct(squares).sum();
    return sum / static_cast<double>(n);
  }
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += std::pow(before.scales[i] / after.scales[i], 2 * order);
  return sum / static_cast<double>(n);
}

}  // namespace

double metropolis(double log_ratio) {
  constexpr double kNothing = -745;  // where the exponential is zero
  if (log_ratio >= 0) return 1;
  return log_ratio > kNothing ? std::exp(log_ratio) : 0;
}

double within_reach(double step) {
  return std::clamp(step, 1e-150, 1e150);
}

double metric_change(int order, bool dense, const ChainTuning& before, const ChainTuning& after) {
  const double change = std::pow(mean_power(before, after, dense, order), 0.5 / order);
  return std::isfinite(change) && change > 0 ? change : 1;
}

double damped(double log_change, Index count) {
  constexpr double kFew = 3;
  const auto steps = static_cast<double>(count);
  return log_change * steps / (steps + kFew);
}

double AcceptanceLaw::next(double step, const StepSizeUse& use, const ChainTuning& before,
                           const ChainTuning& after) const {
  const double largest = std::log(4.0);
  double log_change = 0;
  if (use.count > 0) {
    constexpr double kTiny = 1e-12;
    const double mean = std::clamp(use.acceptance / static_cast<double>(use.count), kTiny, 1 - kTiny);
    log_change = std::log(boost::math::erfc_inv(target) / boost::math::erfc_inv(mean)) / order;
    log_change = damped(std::clamp(log_change, -largest, largest), use.count);
  }
  return within_reach(step * std::exp(log_change) * metric_change(order, dense, before, after));
}

}  // namespace tempera
