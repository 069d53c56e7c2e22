#include "core/minimization/lbfgs.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <deque>
#include <utility>

namespace tempera {

namespace {

constexpr double kSufficient = 1e-4;  // of the fall that the slope promises
constexpr double kShorter = 0.25;

/// A step and by how much it raised the gradient.
struct Change {
  Eigen::VectorXd step, rise;
  double product;  // of the two, > 0
};

/// Minus the gradient times the inverse of the Hessian, as far as the changes tell.
Eigen::VectorXd downhill(const std::deque<Change>& changes, Eigen::VectorXd gradient) {
  if (changes.empty()) return -gradient / std::max(1.0, gradient.norm());
  std::vector<double> shares;
  for (auto change = changes.rbegin(); change != changes.rend(); ++change) {
    shares.push_back(change->step.dot(gradient) / change->product);
    gradient -= shares.back() * change->rise;
  }
  gradient *= changes.back().product / changes.back().rise.squaredNorm();
  for (const Change& change : changes) {
    gradient += (shares.back() - change.rise.dot(gradient) / change.product) * change.step;
    shares.pop_back();
  }
  return -gradient;
}

struct Place {
  std::vector<double> x;
  Eigen::VectorXd gradient;
  double value = 0;

  Eigen::Map<Eigen::VectorXd> vector() { return {x.data(), gradient.size()}; }
};

class Search {
 public:
  Search(const SmoothFunction& function, const LbfgsOptions& options) : function_(function), options_(options) {}

  LbfgsResult run(std::vector<double> start) {
    const auto size = static_cast<Eigen::Index>(start.size());
    Place here{std::move(start), Eigen::VectorXd(size)};
    evaluate(here);
    Place there = here;
    std::deque<Change> changes;
    while (std::isfinite(here.value)) {
      const Eigen::VectorXd step = downhill(changes, here.gradient);
      const double promised = -step.dot(here.gradient);
      if (!(promised > (changes.empty() ? 0 : options_.promised)) || !falls(here, step, there)) break;
      Change change{there.vector() - here.vector(), there.gradient - here.gradient, 0};
      change.product = change.step.dot(change.rise);
      if (change.product > 0) changes.push_back(std::move(change));
      if (std::ssize(changes) > options_.memory) changes.pop_front();
      std::swap(here, there);
    }
    return {std::move(here.x), here.value, evaluations_};
  }

 private:
  void evaluate(Place& place) {
    ++evaluations_;
    place.value = function_(place.x, {place.gradient.data(), place.x.size()});
  }

  /// Shortens the step until the value falls enough; false if the evaluations end before, or the step is nothing.
  bool falls(Place& from, Eigen::VectorXd step, Place& to) {
    double promised = -step.dot(from.gradient);
    while (evaluations_ < options_.evaluations) {
      to.vector() = from.vector() + step;
      if (to.x == from.x) return false;
      evaluate(to);
      if (to.value <= from.value - kSufficient * promised && to.gradient.allFinite()) return true;
      step *= kShorter;
      promised *= kShorter;
    }
    return false;
  }

  const SmoothFunction& function_;
  LbfgsOptions options_;
  Index evaluations_ = 0;
};

}  // namespace

LbfgsResult minimize_lbfgs(const SmoothFunction& function, std::vector<double> start, const LbfgsOptions& options) {
  return Search(function, options).run(std::move(start));
}

}  // namespace tempera
