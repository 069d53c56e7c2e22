#include "core/sampling/explorers/detail/step_size.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <boost/math/special_functions/erf.hpp>
#include <cmath>

#include "core/base/contract.hpp"

namespace tempera {

namespace {

constexpr double kLargestChange = 4;
constexpr double kFew = 3;  // steps from which half the change is taken
constexpr double kTiny = 1e-12;
constexpr double kSmallest = 1e-150, kLargest = 1e150;

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

double AcceptanceLaw::next(double step, const StepSizeUse& use, const ChainTuning& before,
                           const ChainTuning& after) const {
  double change = 1;
  if (use.count > 0) {
    const auto count = static_cast<double>(use.count);
    const double mean = std::clamp(use.acceptance / count, kTiny, 1 - kTiny);
    change = std::pow(boost::math::erfc_inv(target) / boost::math::erfc_inv(mean), 1.0 / order);
    change = std::pow(std::clamp(change, 1 / kLargestChange, kLargestChange), count / (count + kFew));
  }
  const double follow = std::pow(mean_power(before, after, dense, order), 0.5 / order);
  const double next = step * change * (std::isfinite(follow) && follow > 0 ? follow : 1);
  return std::clamp(next, kSmallest, kLargest);
}

}  // namespace tempera
