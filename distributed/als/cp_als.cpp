#include "distributed/als/cp_als.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>

#include "core/base/contract.hpp"
#include "core/base/error.hpp"
#include "distributed/als/cp_run.hpp"
#include "distributed/communicator/objects.hpp"

namespace tempera {

namespace {

/// For each component the sign of the entry of largest magnitude over all ranks (ties: the lowest global row).
std::vector<double> leading_signs(const Communicator& ranks, const FactorMatrix& factor, std::span<const Index> rows) {
  struct Leading {
    double value;
    Index row;
  };
  std::vector<Leading> mine(static_cast<std::size_t>(factor.columns()), {0.0, 0});
  for (Index i = 0; i < factor.rows(); ++i)
    for (Index r = 0; r < factor.columns(); ++r) {
      Leading& best = mine[static_cast<std::size_t>(r)];
      if (std::abs(factor(i, r)) > std::abs(best.value)) best = {factor(i, r), rows[static_cast<std::size_t>(i)]};
    }
  const auto all = ranks.all_gather(std::span<const Leading>(mine));
  std::vector<double> signs(mine.size(), 1.0);
  for (std::size_t r = 0; r < mine.size(); ++r) {
    Leading best{0.0, 0};
    for (std::size_t k = r; k < all.size(); k += mine.size()) {
      const double larger = std::abs(all[k].value) - std::abs(best.value);
      if (larger > 0 || (larger == 0 && all[k].row < best.row)) best = all[k];
    }
    signs[r] = best.value < 0 ? -1.0 : 1.0;
  }
  return signs;
}

/// For each mode whose signs may be turned and that is not the last of them: all but one of the modes that allow it.
std::vector<bool> modes_to_turn(std::span<const Constraint> constraints, int& last) {
  last = -1;
  for (std::size_t mode = 0; mode < constraints.size(); ++mode)
    if (constraints[mode].is_sign_free()) last = static_cast<int>(mode);
  std::vector<bool> turn(constraints.size(), false);
  for (int mode = 0; mode < last; ++mode)
    turn[static_cast<std::size_t>(mode)] = constraints[static_cast<std::size_t>(mode)].is_sign_free();
  return turn;
}

/// Decreasing weights; the leading entry of each column positive where the constraints allow either sign, the sign pushed
/// to the last such mode.
void put_in_normal_form(const DistributedTensor& tensor, std::span<const Constraint> constraints, CpResult& result) {
  const auto rank = result.weights.size();
  std::vector<std::size_t> order(rank);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return result.weights[a] > result.weights[b]; });
  std::vector<double> last_sign(rank, 1.0), weights;
  for (std::size_t k : order) weights.push_back(result.weights[k]);
  result.weights = weights;
  int last = -1;
  const std::vector<bool> turn = modes_to_turn(constraints, last);
  for (std::size_t mode = 0; mode < result.factors.size(); ++mode) {
    FactorMatrix& factor = result.factors[mode];
    std::vector<double> sign(rank, 1.0);
    if (turn[mode]) {
      sign = leading_signs(tensor.grid().active_ranks(), factor, result.rows[mode]);
      for (std::size_t r = 0; r < rank; ++r) last_sign[r] *= sign[r];
    } else if (static_cast<int>(mode) == last) {
      sign = last_sign;
    }
    std::vector<double> row(rank);
    for (Index i = 0; i < factor.rows(); ++i) {
      for (std::size_t r = 0; r < rank; ++r) row[r] = sign[order[r]] * factor(i, static_cast<Index>(order[r])) + 0.0;
      std::copy(row.begin(), row.end(), factor.row(i));
    }
  }
}

/// The solver asked for must have something to solve.
void check_solver(const CpOptions& options) {
  if (options.solver == Solver::automatic) return;
  const auto solvable = [&](const Constraint& c) {
    return options.solver == Solver::admm ? !c.is_least_squares() && !c.orthogonal : c.is_nonnegative_least_squares();
  };
  if (std::any_of(options.constraints.begin(), options.constraints.end(), solvable)) return;
  if (options.solver == Solver::admm)
    throw Error(Category::usage, "--solver",
                "admm has nothing to solve: no mode has a constraint without a closed form",
                "leave --solver away, or add a --constraint");
  throw Error(Category::usage, "--solver",
              fmt::format("{} solves nonnegative modes (with l1 and ridge), and there is none",
                          options.solver == Solver::hals ? "hals" : "bpp"),
              "add --constraint nonnegative, or leave --solver away");
}

/// One constraint a mode, those bounded that have to be; the notes say which.
CpOptions completed(const DistributedTensor& tensor, const CpOptions& options, std::vector<std::string>& notes) {
  CpOptions complete = options;
  complete.constraints.resize(static_cast<std::size_t>(tensor.order()));
  const std::vector<int> bounded = bound_free_modes(complete.constraints);
  if (!bounded.empty())
    notes.push_back(fmt::format(
        "the columns of mode{} {} are bounded by norm 1: a penalty on another mode would mean nothing if they "
        "could grow",
        bounded.size() == 1 ? "" : "s", fmt::join(bounded, ", ")));
  return complete;
}

void zero_model(const DistributedTensor& tensor, const CpOptions& options, CpResult& result) {
  result.weights.assign(static_cast<std::size_t>(options.rank), 0.0);
  result.dead_components = static_cast<int>(options.rank);
  for (int mode = 0; mode < tensor.order(); ++mode)
    result.factors.emplace_back(tensor.active() ? tensor.rows(mode).owned_count : 0, options.rank);
  result.fit = 1;
  result.converged = true;
  result.stopped = StopReason::tolerance;
  result.restart_fits = {1.0};
  result.notes.push_back("the tensor is zero everywhere: the model is zero and its fit is 1 by definition");
}

}  // namespace

void check_norm(const DistributedTensor& tensor) {
  const bool overflows = !std::isfinite(tensor.norm_squared());
  const bool underflows = tensor.largest_magnitude() > 0 && tensor.norm_squared() < std::numeric_limits<double>::min();
  if (overflows || underflows)
    throw Error(Category::numerical, "",
                fmt::format("the squared norm of the tensor {}: its largest magnitude is {:g}",
                            overflows ? "overflows" : "underflows", tensor.largest_magnitude()),
                "scale the values, for example to unit maximum");
}

void check_cp_options(const DistributedTensor& tensor, const CpOptions& options) {
  if (options.rank < 1)
    throw Error(Category::usage, "--rank", fmt::format("{} is not a rank", options.rank), "the rank is at least 1");
  if (options.iterations < 1)
    throw Error(Category::usage, "--iterations", fmt::format("{} sweeps", options.iterations),
                "at least one sweep is needed");
  if (!(options.tolerance >= 0))
    throw Error(Category::usage, "--tolerance", fmt::format("{} is not a tolerance", options.tolerance),
                "0 runs all iterations");
  if (options.restarts < 1)
    throw Error(Category::usage, "--restarts", fmt::format("{} starts", options.restarts),
                "at least one start is needed");
  if (!options.constraints.empty() && static_cast<int>(options.constraints.size()) != tensor.order())
    throw Error(Category::usage, "--constraint", "constraints for a tensor of another order");
  for (std::size_t mode = 0; mode < options.constraints.size(); ++mode)
    if (const auto reason = contradiction(options.constraints[mode], tensor.shape()[mode], options.rank))
      throw Error(Category::usage, "--constraint",
                  fmt::format("'{}' in mode {}: {}", to_text(options.constraints[mode]), mode, *reason),
                  "choose another --rank, or constrain other modes: NAME@0,2");
  check_solver(options);
}

CpResult cp_als(const DistributedTensor& tensor, const CpOptions& asked, const CpObserver& observer) {
  check_cp_options(tensor, asked);
  const Communicator& all = tensor.grid().all();
  const auto region = all.regions().open("cp-als");
  CpResult result;
  const CpOptions options = completed(tensor, asked, result.notes);
  for (int mode = 0; mode < tensor.order(); ++mode) {
    std::span<const Index> owned;
    if (tensor.active()) owned = tensor.rows(mode).owned_rows();
    result.rows.emplace_back(owned.begin(), owned.end());
  }
  check_norm(tensor);
  if (tensor.norm_squared() == 0) {
    zero_model(tensor, options, result);
  } else {
    if (tensor.active()) {
      CpRun(tensor, options, observer).run(result);
      put_in_normal_form(tensor, options.constraints, result);
    }
    // Left-out ranks learn the outcome from rank 0, which is always active.
    double scalars[] = {result.fit,
                        result.relative_error,
                        result.fit_resolution,
                        static_cast<double>(result.iterations),
                        result.converged ? 1.0 : 0.0,
                        static_cast<double>(result.stopped),
                        static_cast<double>(result.best_restart),
                        result.objective,
                        static_cast<double>(result.dead_components)};
    all.broadcast(std::span<double>(scalars), 0);
    result.fit = scalars[0];
    result.relative_error = scalars[1];
    result.fit_resolution = scalars[2];
    result.iterations = static_cast<int>(scalars[3]);
    result.converged = scalars[4] > 0;
    result.stopped = static_cast<StopReason>(static_cast<int>(scalars[5]));
    result.best_restart = static_cast<int>(scalars[6]);
    result.objective = scalars[7];
    result.dead_components = static_cast<int>(scalars[8]);
    result.weights.resize(static_cast<std::size_t>(options.rank));
    all.broadcast(std::span<double>(result.weights), 0);
    all.broadcast_object(result.restart_fits, 0);
    all.broadcast_object(result.notes, 0);
    if (!tensor.active())
      for (int mode = 0; mode < tensor.order(); ++mode) result.factors.emplace_back(0, options.rank);
  }
  return result;
}

}  // namespace tempera
