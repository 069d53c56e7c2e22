#include "core/minimization/bounded.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <utility>

#include "core/base/contract.hpp"

namespace tempera {

namespace {

constexpr double kSufficient = 1e-4;  // of the fall that the slope promises
constexpr double kStillSteep = 0.9;   // of the slope at the start of a line: go on
constexpr double kLonger = 3;         // a step that was too short
constexpr double kFirstLength = 0.1;  // of the range
constexpr double kBackOff = 0.25;     // where nothing is known but that the value is bad
constexpr int kMostTries = 12;        // on a line
constexpr std::size_t kMemory = 10;   // changes
constexpr double kLeastCurvature = 1e-12;

}  // namespace

BoxSearch::BoxSearch(std::span<const double> start, std::span<const double> low, std::span<const double> high,
                     const BoundedOptions& options)
    : low_(low.begin(), low.end()),
      wanted_(start.begin(), start.end()),
      options_(options),
      first_length_(kFirstLength) {
  TEMPERA_EXPECTS(low.size() == start.size() && high.size() == start.size() && options.evaluations >= 1);
  const auto size = static_cast<Eigen::Index>(start.size());
  there_.x.resize(size);
  there_.gradient.resize(size);
  for (std::size_t i = 0; i < start.size(); ++i) {
    TEMPERA_EXPECTS(low[i] <= start[i] && start[i] <= high[i]);
    range_.push_back(high[i] - low[i]);
    there_.x[static_cast<Eigen::Index>(i)] = range_[i] > 0 ? (start[i] - low[i]) / range_[i] : 0;
  }
  best_.point = wanted_;
}

void BoxSearch::tell(double value, std::span<const double> gradient) {
  TEMPERA_EXPECTS(!ended_ && gradient.size() == wanted_.size());
  const bool first = ++best_.evaluations == 1;
  if (first || (std::isfinite(value) && value < best_.value)) {
    best_.value = value;
    best_.point = wanted_;
  }
  there_.value = value;
  for (std::size_t i = 0; i < range_.size(); ++i)
    there_.gradient[static_cast<Eigen::Index>(i)] = range_[i] > 0 ? gradient[i] * range_[i] : 0;
  const bool usable = std::isfinite(value) && there_.gradient.allFinite();
  if (best_.evaluations == options_.evaluations || (first && !usable)) {
    ended_ = true;
    return;
  }
  if (first) {
    here_ = there_;
    return begin_line();
  }
  const double promised = here_.gradient.dot(there_.x - here_.x);
  const bool falls = usable && there_.value <= here_.value + kSufficient * promised;
  if (longer_ && !(falls && there_.value < farthest_.value)) {
    there_ = std::move(farthest_);
    return take_step();
  }
  if (!falls) return shorten();
  const bool steep = there_.gradient.dot(there_.x - here_.x) < kStillSteep * promised;
  if (!steep || ++tries_ > kMostTries) return take_step();
  const Eigen::VectorXd reached = there_.x;
  farthest_ = there_;
  longer_ = true;
  want(kLonger * length_);
  if (there_.x == reached) take_step();  // bounds hold all that moves
}

/// Coordinates at a bound that the slope pushes against.
std::vector<bool> BoxSearch::held() const {
  std::vector<bool> result(range_.size());
  for (std::size_t i = 0; i < result.size(); ++i) {
    const auto k = static_cast<Eigen::Index>(i);
    const double x = here_.x[k], slope = here_.gradient[k];
    result[i] = range_[i] == 0 || (x <= 0 && slope > 0) || (x >= 1 && slope < 0);
  }
  return result;
}

/// Minus the gradient times the inverse Hessian of the free coordinates, as far as the changes tell.
Eigen::VectorXd BoxSearch::downhill() const {
  const std::vector<bool> held = this->held();
  const auto freed = [&](Eigen::VectorXd vector) {
    for (std::size_t i = 0; i < held.size(); ++i)
      if (held[i]) vector[static_cast<Eigen::Index>(i)] = 0;
    return vector;
  };
  Eigen::VectorXd slope = freed(here_.gradient);
  std::vector<Change> used;
  for (const Change& change : changes_) {
    Change free{freed(change.step), freed(change.rise), 0};
    free.product = free.step.dot(free.rise);
    if (free.product > kLeastCurvature * free.step.norm() * free.rise.norm()) used.push_back(std::move(free));
  }
  if (used.empty()) {
    const double greatest = slope.cwiseAbs().maxCoeff();
    return greatest > 0 ? Eigen::VectorXd(-first_length_ / greatest * slope) : slope;
  }
  std::vector<double> shares(used.size());
  for (std::size_t k = used.size(); k-- > 0;) {
    shares[k] = used[k].step.dot(slope) / used[k].product;
    slope -= shares[k] * used[k].rise;
  }
  slope *= used.back().product / used.back().rise.squaredNorm();
  for (std::size_t k = 0; k < used.size(); ++k)
    slope += (shares[k] - used[k].rise.dot(slope) / used[k].product) * used[k].step;
  return -slope;
}

void BoxSearch::begin_line() {
  direction_ = range_.empty() ? Eigen::VectorXd() : downhill();
  tries_ = 0;
  longer_ = false;
  if (direction_.size() == 0 || !(direction_.dot(here_.gradient) < 0)) {
    ended_ = true;
    return;
  }
  want(1);
  if (there_.x == here_.x) ended_ = true;
}

void BoxSearch::want(double length) {
  length_ = length;
  there_.x = (here_.x + length * direction_).cwiseMax(0.0).cwiseMin(1.0);
  for (std::size_t i = 0; i < range_.size(); ++i)
    if (range_[i] > 0)
      wanted_[i] =
          std::clamp(low_[i] + there_.x[static_cast<Eigen::Index>(i)] * range_[i], low_[i], low_[i] + range_[i]);
}

/// To the least value of the parabola through what is known of the line.
void BoxSearch::shorten() {
  if (++tries_ > kMostTries) {
    ended_ = changes_.empty();
    changes_.clear();
    first_length_ *= kBackOff;
    if (!ended_) begin_line();
    return;
  }
  double shorter = kBackOff;
  if (std::isfinite(there_.value)) {
    const double slope = here_.gradient.dot(there_.x - here_.x);
    shorter = std::clamp(-slope / (2 * (there_.value - here_.value - slope)), 0.1, 0.5);
  }
  want(shorter * length_);
  if (there_.x == here_.x) ended_ = true;
}

void BoxSearch::take_step() {
  Change change{there_.x - here_.x, there_.gradient - here_.gradient, 0};
  change.product = change.step.dot(change.rise);
  const double fall = here_.value - there_.value;
  const double moved = change.step.cwiseAbs().maxCoeff();
  if (fall <= options_.value_tolerance * std::abs(there_.value) || moved <= options_.step_tolerance) {
    ended_ = true;
    return;
  }
  first_length_ = std::min(1.0, std::max(first_length_, 2 * moved));
  if (change.product > kLeastCurvature * change.step.norm() * change.rise.norm()) changes_.push_back(std::move(change));
  if (changes_.size() > kMemory) changes_.pop_front();
  here_ = there_;
  begin_line();
}

BoundedMinimum minimize_in_box(const FunctionWithGradient& function, std::span<const double> start,
                               std::span<const double> low, std::span<const double> high,
                               const BoundedOptions& options) {
  BoxSearch search(start, low, high, options);
  std::vector<double> gradient(start.size());
  while (!search.ended()) {
    const double value = function(search.wanted(), gradient);
    search.tell(value, gradient);
  }
  return search.best();
}

}  // namespace tempera
