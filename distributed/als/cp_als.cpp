#include "distributed/als/cp_als.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/error.hpp"
#include "distributed/als/cp_observed_sweep.hpp"
#include "distributed/als/cp_outcome.hpp"
#include "distributed/als/cp_starts.hpp"
#include "distributed/als/cp_sweep.hpp"

namespace tempera {

namespace {

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

CpResult observed_outcome(const DistributedTensor& tensor, const CpOptions& asked, const CpObserver& observer) {
  check_observed_options(tensor, asked);
  CpOptions options = asked;
  options.constraints.resize(static_cast<std::size_t>(tensor.order()));
  return cp_outcome(tensor, options, [&](CpResult& outcome) {
    const auto make = [&](const DistributedTensor& own) { return std::make_unique<CpObservedSweep>(own, options); };
    run_starts(tensor, options, observer, make, outcome);
    const auto notes = notes_on_observed_rows(tensor, options);
    outcome.notes.insert(outcome.notes.begin(), notes.begin(), notes.end());
  });
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

void check_cp_options(std::span<const Index> shape, const CpOptions& options) {
  if (options.rank < 1)
    throw Error(Category::usage, "--rank", fmt::format("{} is not a rank", options.rank), "the rank is at least 1");
  if (options.iterations < 1)
    throw Error(Category::usage, "--iterations", fmt::format("{} sweeps", options.iterations),
                "at least one sweep is needed");
  if (!(options.tolerance >= 0))
    throw Error(Category::usage, "--tolerance", fmt::format("{} is not a tolerance", options.tolerance),
                "0 runs all iterations");
  if (!(options.damping >= 0) || !std::isfinite(options.damping))
    throw Error(Category::usage, "--damping", fmt::format("{} is no damping", options.damping),
                "a number from 0 up, or auto");
  if (options.restarts < 1)
    throw Error(Category::usage, "--restarts", fmt::format("{} starts", options.restarts),
                "at least one start is needed");
  if (options.init == CpInit::given && options.restarts > 1)
    throw Error(Category::usage, "--restarts", fmt::format("{} starts from one file", options.restarts),
                "a start from a file is the same each time: leave --restarts away, or use --init random or nvecs");
  if (!options.constraints.empty() && options.constraints.size() != shape.size())
    throw Error(Category::usage, "--constraint", "constraints for a tensor of another order");
  for (std::size_t mode = 0; mode < options.constraints.size(); ++mode)
    if (const auto reason = contradiction(options.constraints[mode], shape[mode], options.rank))
      throw Error(Category::usage, "--constraint",
                  fmt::format("'{}' in mode {}: {}", to_text(options.constraints[mode]), mode, *reason),
                  "choose another --rank, or constrain other modes: NAME@0,2");
  check_solver(options);
}

CpResult cp_als(const DistributedTensor& tensor, const CpOptions& asked, const CpObserver& observer) {
  check_cp_options(tensor.shape(), asked);
  const auto region = tensor.grid().all().regions().open("cp-als");
  if (tensor.only_observed()) return observed_outcome(tensor, asked, observer);
  std::vector<std::string> notes;
  const CpOptions options = completed(tensor, asked, notes);
  CpResult result = cp_outcome(tensor, options, [&](CpResult& outcome) {
    const auto make = [&](const DistributedTensor& own) { return std::make_unique<CpSweep>(own, options); };
    run_starts(tensor, options, observer, make, outcome);
  });
  result.notes.insert(result.notes.begin(), notes.begin(), notes.end());
  return result;
}

}  // namespace tempera
