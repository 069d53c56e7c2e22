#include "core/sampling/climb.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <deque>
#include <utility>
#include <vector>

namespace tempera {

namespace {

constexpr std::size_t kMemory = 8;
constexpr double kSufficient = 1e-4;  // of the rise that the slope promises
constexpr double kShorter = 0.25;

/// A step and by how much it lowered the gradient.
struct Change {
  Eigen::VectorXd step, fall;
  double product;  // of the two, > 0
};

/// The gradient times the inverse of −Hessian, as far as the changes tell.
Eigen::VectorXd uphill(const std::deque<Change>& changes, Eigen::VectorXd gradient) {
  if (changes.empty()) return gradient / std::max(1.0, gradient.norm());
  std::vector<double> shares;
  for (auto change = changes.rbegin(); change != changes.rend(); ++change) {
    shares.push_back(change->step.dot(gradient) / change->product);
    gradient -= shares.back() * change->fall;
  }
  gradient *= changes.back().product / changes.back().fall.squaredNorm();
  for (const Change& change : changes) {
    gradient += (shares.back() - change.fall.dot(gradient) / change.product) * change.step;
    shares.pop_back();
  }
  return gradient;
}

/// A point with the gradient there.
struct Place {
  SamplePoint point;
  Eigen::VectorXd gradient;
  double height = 0;

  void evaluate(PathDensity& density) {
    height = density.at(point.u, point.density, {gradient.data(), point.u.size()});
  }
  Eigen::Map<Eigen::VectorXd> u() { return {point.u.data(), gradient.size()}; }
};

/// Shortens the step until it rises enough; false if the evaluations end before.
bool rises(PathDensity& density, Place& from, Eigen::VectorXd step, Index end, Place& to) {
  double promised = step.dot(from.gradient);
  while (density.gradients() < end) {
    to.u() = from.u() + step;
    to.evaluate(density);
    if (to.height >= from.height + kSufficient * promised) return true;
    step *= kShorter;
    promised *= kShorter;
  }
  return false;
}

}  // namespace

void climb(PathDensity& density, SamplePoint& point, Index most) {
  const auto dimension = static_cast<Eigen::Index>(point.u.size());
  const Index end = density.gradients() + most;
  Place here{point, Eigen::VectorXd(dimension)};
  here.evaluate(density);
  if (!std::isfinite(here.height)) return;
  Place there = here;
  std::deque<Change> changes;
  for (;;) {
    const Eigen::VectorXd step = uphill(changes, here.gradient);
    const double promised = step.dot(here.gradient);
    const double enough = changes.empty() ? 0 : static_cast<double>(dimension);
    if (!(promised > enough) || !rises(density, here, step, end, there)) break;
    Change change{there.u() - here.u(), here.gradient - there.gradient, 0};
    change.product = change.step.dot(change.fall);
    if (change.product > 0) changes.push_back(std::move(change));
    if (changes.size() > kMemory) changes.pop_front();
    std::swap(here, there);
  }
  point = std::move(here.point);
}

}  // namespace tempera
