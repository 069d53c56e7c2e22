#include "core/bayesopt/followed_gp.hpp"

#include <algorithm>
#include <cmath>

#include "core/base/contract.hpp"
#include "core/base/random_stream.hpp"

namespace tempera {

namespace {

constexpr double kSurprising = 3;  // standard deviations

/// The last number of values at which hyperparameters are looked for from scratch.
Index scratch_size(Index size) {
  Index result = FollowedGp::kAlwaysBelow;
  while (2 * result <= size) result *= 2;
  return result;
}

}  // namespace

bool FollowedGp::continues(const Eigen::MatrixXd& points, std::span<const double> values) const {
  return size_ <= points.rows() && points_.topRows(size_) == points.topRows(size_) &&
         std::equal(values_.begin(), values_.begin() + size_, values.begin());
}

void FollowedGp::follow(const Eigen::MatrixXd& points, std::span<const double> values, ModelTeam& team) {
  TEMPERA_EXPECTS(points.rows() == std::ssize(values) && points.rows() > 0);
  const Index size = points.rows();
  if (!continues(points, values)) size_ = fitted_ = 0;
  points_ = points;
  values_.assign(values.begin(), values.end());
  if (size == size_) return;
  if (size < kAlwaysBelow) return find(size, team, true);
  if (const Index from = scratch_size(size); fitted_ < from) find(from, team, true);
  while (size_ < size) take(size_, team);
}

/// New hyperparameters, and processes of the first `size` values.
void FollowedGp::find(Index size, ModelTeam& team, bool from_scratch) {
  const Eigen::MatrixXd points = points_.topRows(size);
  const std::span<const double> values(values_.data(), static_cast<std::size_t>(size));
  const std::uint64_t seed = RandomStream(seed_, "gp-fit", {size}).next_u64();
  const std::optional<FittedGp> before = std::move(fit_);
  fit_ = fit_gp(kernels_, points, values, options_, seed, team, from_scratch ? nullptr : &*before);
  processes_.clear();
  for (const GpModel& model : fit_->draws)
    processes_.push_back(team.maker().process(model, points, fit_->warp.warped(values)));
  spread_ = team.maker().spreads(size);
  size_ = fitted_ = size;
  surprise_ = 0;
}

/// One value more.
void FollowedGp::take(Index number, ModelTeam& team) {
  const double value = values_[static_cast<std::size_t>(number)];
  const Index size = number + 1;
  if (!fit_->warp.defined_at(value) || static_cast<double>(size) >= kGrowth * static_cast<double>(fitted_))
    return find(size, team, false);
  const double warped = fit_->warp(value);
  const Eigen::MatrixXd point = points_.row(number);
  Eigen::VectorXd mean, variance;
  for (const auto& process : processes_) {
    process->predict(point, mean, variance);
    const double error = warped - mean[0];
    const double expected = variance[0] + process->model().noise + process->jitter();
    surprise_ += 0.5 * (error * error / expected - 1) / static_cast<double>(processes_.size());
  }
  if (surprise_ > kSurprising * std::sqrt(0.5 * static_cast<double>(size - fitted_))) return find(size, team, false);
  for (const auto& process : processes_) process->append(point, Eigen::VectorXd::Constant(1, warped));
  size_ = size;
}

}  // namespace tempera
