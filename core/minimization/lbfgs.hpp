#pragma once

#include <functional>
#include <span>
#include <vector>

#include "core/base/index.hpp"

namespace tempera {

/// Value and gradient (overwritten) at x; +∞ or NaN where there is no value: the search goes back from there.
using SmoothFunction = std::function<double(std::span<const double> x, std::span<double> gradient)>;

struct LbfgsOptions {
  Index evaluations = 200;  ///< at most
  int memory = 8;           ///< pairs of changes that are kept
  /// Ends when the next step promises to lower the value by less. The first step, of length 1 at most, is made anyway.
  double promised = 1e-9;
};

struct LbfgsResult {
  std::vector<double> x;
  double value = 0;  ///< never above that of the start; not finite only if the start's is not
  Index evaluations = 0;
};

/// Limited-memory BFGS with backtracking (Nocedal & Wright 2006, algorithms 7.4 and 3.1); pairs without positive curvature
/// are left out. Cost besides the function: 4 · memory · n multiply-adds a step.
LbfgsResult minimize_lbfgs(const SmoothFunction& function, std::vector<double> start, const LbfgsOptions& options = {});

}  // namespace tempera
