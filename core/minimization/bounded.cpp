#include "core/minimization/bounded.hpp"

#include <nlopt.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <limits>
#include <memory>
#include <new>
#include <type_traits>

#include "core/base/contract.hpp"

namespace tempera {

namespace {

/// What the callback knows: the free coordinates are those of a range above zero, scaled to [0, 1].
struct Search {
  Search(const FunctionWithGradient& f, std::span<const double> l, std::span<const double> h)
      : function(f), low(l), high(h) {}

  const FunctionWithGradient& function;
  std::span<const double> low, high;
  Index most = 0;
  std::vector<std::size_t> free;
  std::vector<double> point, gradient;
  BoundedMinimum best;
  double worst = -std::numeric_limits<double>::infinity();
  nlopt_opt solver = nullptr;
  bool ended = false;
  std::exception_ptr thrown;

  /// Finite, so that line searches can interpolate.
  double very_bad() const { return ended ? worst : worst + std::max(1.0, worst - best.value); }

  double evaluate() {
    const double value = function(point, gradient);
    ++best.evaluations;
    bool usable = std::isfinite(value);
    if (best.evaluations == 1 || (usable && value < best.value)) {
      best.value = value;
      best.point = point;
    }
    for (const std::size_t i : free) usable = usable && std::isfinite(gradient[i]);
    if (usable)
      worst = std::max(worst, value);
    else
      std::fill(gradient.begin(), gradient.end(), 0.0);
    if (best.evaluations == most || !std::isfinite(worst)) end();
    return usable ? value : very_bad();
  }

  /// The solver looks at its limits between line searches only.
  void end() {
    ended = true;
    nlopt_force_stop(solver);
  }
};

double callback(unsigned n, const double* scaled, double* scaled_gradient, void* data) {
  Search& search = *static_cast<Search*>(data);
  double value = search.worst;
  if (!search.ended) {
    for (unsigned k = 0; k < n && search.best.evaluations > 0; ++k) {  // the start as it was given, without rounding
      const std::size_t i = search.free[k];
      const double range = search.high[i] - search.low[i];
      search.point[i] = std::clamp(search.low[i] + scaled[k] * range, search.low[i], search.high[i]);
    }
    try {
      value = search.evaluate();
    } catch (...) {  // must not pass through C
      search.thrown = std::current_exception();
      search.end();
    }
  }
  if (scaled_gradient)
    for (unsigned k = 0; k < n; ++k) {
      const std::size_t i = search.free[k];
      scaled_gradient[k] = search.gradient[i] * (search.high[i] - search.low[i]);
    }
  return value;
}

struct Destroy {
  void operator()(nlopt_opt solver) const { nlopt_destroy(solver); }
};
using Solver = std::unique_ptr<std::remove_pointer_t<nlopt_opt>, Destroy>;

}  // namespace

BoundedMinimum minimize_in_box(const FunctionWithGradient& function, std::span<const double> start,
                               std::span<const double> low, std::span<const double> high,
                               const BoundedOptions& options) {
  TEMPERA_EXPECTS(low.size() == start.size() && high.size() == start.size() && options.evaluations >= 1);
  Search search(function, low, high);
  search.point.assign(start.begin(), start.end());
  search.gradient.resize(start.size());
  search.best.point = search.point;
  std::vector<double> scaled;
  for (std::size_t i = 0; i < start.size(); ++i) {
    TEMPERA_EXPECTS(low[i] <= start[i] && start[i] <= high[i]);
    if (low[i] == high[i]) continue;
    search.free.push_back(i);
    scaled.push_back((start[i] - low[i]) / (high[i] - low[i]));
  }
  const auto n = static_cast<unsigned>(search.free.size());
  search.most = options.evaluations;
  if (n == 0) {
    search.best.value = function(start, search.gradient);
    search.best.evaluations = 1;
    return search.best;
  }
  const Solver solver(nlopt_create(NLOPT_LD_LBFGS, n));
  if (!solver) throw std::bad_alloc();
  search.solver = solver.get();
  nlopt_set_lower_bounds1(solver.get(), 0);
  nlopt_set_upper_bounds1(solver.get(), 1);
  nlopt_set_min_objective(solver.get(), callback, &search);
  nlopt_set_ftol_rel(solver.get(), options.value_tolerance);
  nlopt_set_xtol_abs1(solver.get(), options.step_tolerance);
  double value = 0;
  nlopt_optimize(solver.get(), scaled.data(), &value);  // however it ends, the best point was kept
  if (search.thrown) std::rethrow_exception(search.thrown);
  return search.best;
}

}  // namespace tempera
