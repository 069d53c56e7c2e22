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

/// ω², the eigenvalues of the old covariance relative to the new one.
Eigen::VectorXd relative_squares(const ChainTuning& before, const ChainTuning& after, bool dense) {
  const std::size_t n = before.scales.size();
  TEMPERA_EXPECTS(after.scales.size() == n && n > 0);
  if (dense && (!before.covariance_factor.empty() || !after.covariance_factor.empty())) {
    const Eigen::MatrixXd relative =
        matrix_of(after, true).triangularView<Eigen::Lower>().solve(matrix_of(before, true));
    return (relative.transpose() * relative).selfadjointView<Eigen::Lower>().eigenvalues().cwiseAbs();
  }
  Eigen::VectorXd squares(static_cast<Eigen::Index>(n));
  for (std::size_t i = 0; i < n; ++i)
    squares[static_cast<Eigen::Index>(i)] = std::pow(before.scales[i] / after.scales[i], 2);
  return squares;
}

/// At most a factor of four, and 0.6 of the logarithm of a factor below two, for leapfrog steps: near their limit of stability
/// acceptance falls up to three times as fast as the law says, and whole changes would go to and fro.
double cautious(double log_change, int order) {
  const double size = std::min(std::abs(log_change), std::log(4.0));
  const double withheld = order == 1 ? 0 : 0.4 * std::min(size, std::log(2.0));
  return std::copysign(size - withheld, log_change);
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

double metric_change(int order, bool dense, const ChainTuning& before, const ChainTuning& after, double trust) {
  const Eigen::ArrayXd squares = relative_squares(before, after, dense).array();
  const double believed = std::log(squares.pow(order).mean()) / (2 * order), safe = std::log(squares.minCoeff()) / 2;
  const double change = std::exp(trust * believed + (1 - trust) * safe);
  return std::isfinite(change) && change > 0 ? change : 1;
}

double trust_in(const StepSizeUse& use) {
  constexpr double kFew = 4;
  return use.acceptance / (use.acceptance + kFew);
}

double damped(double log_change, Index count) {
  constexpr double kFew = 3;
  const auto steps = static_cast<double>(count);
  return log_change * steps / (steps + kFew);
}

double AcceptanceLaw::next(double step, const StepSizeUse& use, const ChainTuning& before,
                           const ChainTuning& after) const {
  constexpr double kNone = 1e-3;  // of acceptance: the step may be too large by any factor
  double log_change = 0;
  if (use.count > 0) {
    const double mean = std::clamp(use.acceptance / static_cast<double>(use.count), 1e-12, 1 - 1e-12);
    const double law = std::log(boost::math::erfc_inv(target) / boost::math::erfc_inv(mean)) / order;
    log_change = damped(mean > kNone ? cautious(law, order) : -std::log(10.0), use.count);
  }
  return within_reach(step * std::exp(log_change) * metric_change(order, dense, before, after, trust_in(use)));
}

}  // namespace tempera
