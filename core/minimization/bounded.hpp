#pragma once

#include <Eigen/Core>
#include <deque>
#include <functional>
#include <span>
#include <vector>

#include "core/base/index.hpp"

namespace tempera {

/// A function of a point that fills its gradient, of as many entries.
using FunctionWithGradient = std::function<double(std::span<const double> point, std::span<double> gradient)>;

struct BoundedOptions {
  Index evaluations = 100;        ///< at most; ≥ 1
  double value_tolerance = 1e-9;  ///< relative change of the value
  double step_tolerance = 1e-8;   ///< change of every coordinate in units of its range
};

struct BoundedMinimum {
  std::vector<double> point;
  double value = 0;
  Index evaluations = 0;
};

/// A local minimum in a box from a start in it, by asking: the caller evaluates the function, so that several searches may
/// have theirs evaluated together.
///
///     while (!search.ended()) search.tell(function(search.wanted(), gradient), gradient);
///
/// Limited-memory BFGS on the coordinates that no bound holds, projected steps with backtracking, longer ones while the slope
/// hardly changes (Nocedal & Wright 2006, algorithms 7.4 and 3.5, §16.7). The best of all points that were evaluated is kept,
/// so never worse than the start, however the search ended; a value that is not finite counts as very bad, and a start
/// without a finite value or gradient is given back. Where low equals high a coordinate stays.
class BoxSearch {
 public:
  /// @pre as many bounds as coordinates, finite, low ≤ start ≤ high
  BoxSearch(std::span<const double> start, std::span<const double> low, std::span<const double> high,
            const BoundedOptions& options = {});

  bool ended() const { return ended_; }
  /// Where the value is wanted next. @pre not ended
  std::span<const double> wanted() const { return wanted_; }
  /// @param gradient  as many entries
  void tell(double value, std::span<const double> gradient);
  const BoundedMinimum& best() const { return best_; }

 private:
  /// In units of the ranges.
  struct Place {
    Eigen::VectorXd x, gradient;
    double value = 0;
  };
  struct Change {
    Eigen::VectorXd step, rise;
    double product;  // of the two, > 0
  };
  void begin_line();
  void want(double length);
  void take_step();
  void shorten();
  Eigen::VectorXd downhill() const;
  std::vector<bool> held() const;

  std::vector<double> low_, range_, wanted_;
  BoundedOptions options_;
  BoundedMinimum best_;
  bool ended_ = false;
  Place here_, there_;  // there_: where the value is wanted
  Place farthest_;      // that was good on this line, if longer steps are tried
  bool longer_ = false;
  Eigen::VectorXd direction_;
  double length_ = 1;        // of the step along the direction
  double first_length_ = 0;  // of a step without experience: greatest change of a coordinate
  int tries_ = 0;            // on this line
  std::deque<Change> changes_;
};

/// BoxSearch for a function. @throws what the function throws
BoundedMinimum minimize_in_box(const FunctionWithGradient& function, std::span<const double> start,
                               std::span<const double> low, std::span<const double> high,
                               const BoundedOptions& options = {});

}  // namespace tempera
