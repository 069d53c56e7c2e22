#include "distributed/als/cp_outcome.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include "core/base/error.hpp"
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
  if (!result.component_totals.empty()) {
    std::vector<double> totals;
    for (std::size_t k : order) totals.push_back(result.component_totals[k]);
    result.component_totals = totals;
  }
  for (int& component : result.health.opposed)
    if (component >= 0)
      component =
          static_cast<int>(std::find(order.begin(), order.end(), static_cast<std::size_t>(component)) - order.begin());
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

/// One a mode.
std::vector<Constraint> constraints_of(const DistributedTensor& tensor, const CpOptions& options) {
  std::vector<Constraint> constraints = options.constraints;
  constraints.resize(static_cast<std::size_t>(tensor.order()));
  return constraints;
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

void share_holdout(const DistributedTensor& tensor, CpResult& result) {
  if (tensor.holdout().empty()) return;
  std::vector<double> figures;
  if (result.holdout) {
    figures = {result.holdout->mean, result.holdout->standard_error};
    for (const StratumScore& part : result.holdout->strata)
      figures.insert(figures.end(), {part.mean, part.standard_error});
  }
  tensor.grid().all().broadcast_object(figures, 0);
  if (figures.empty() || tensor.active()) return;
  result.holdout = HoldoutScore{figures[0], figures[1], {}};
  for (std::size_t k = 0; k < tensor.holdout().strata.size(); ++k) {
    const HoldoutStratum& stratum = tensor.holdout().strata[k];
    result.holdout->strata.push_back(
        {stratum.name, stratum.held, stratum.cells, figures[2 * k + 2], figures[2 * k + 3]});
  }
}

/// Left-out ranks learn the outcome from rank 0, which is always active.
void share_outcome(const Communicator& all, const CpOptions& options, CpResult& result) {
  double scalars[] = {result.fit,
                      result.relative_error,
                      result.fit_resolution,
                      static_cast<double>(result.iterations),
                      result.converged ? 1.0 : 0.0,
                      static_cast<double>(result.stopped),
                      static_cast<double>(result.best_restart),
                      result.deviance ? 1.0 : 0.0,
                      result.deviance.value_or(0),
                      result.kkt_violation,
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
  if (scalars[7] > 0) result.deviance = scalars[8];
  result.kkt_violation = scalars[9];
  result.objective = scalars[10];
  result.dead_components = static_cast<int>(scalars[11]);
  result.weights.resize(static_cast<std::size_t>(options.rank));
  all.broadcast(std::span<double>(result.weights), 0);
  all.broadcast_object(result.component_totals, 0);
  all.broadcast_object(result.restart_fits, 0);
  all.broadcast_object(result.restart_deviances, 0);
  all.broadcast_object(result.notes, 0);
  all.broadcast_object(result.health, 0);
}

}  // namespace

CpResult cp_outcome(const DistributedTensor& tensor, const CpOptions& options,
                    const std::function<void(CpResult&)>& run) {
  CpResult result;
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
      run(result);
      put_in_normal_form(tensor, constraints_of(tensor, options), result);
    }
    share_outcome(tensor.grid().all(), options, result);
    share_holdout(tensor, result);
    if (!tensor.active())
      for (int mode = 0; mode < tensor.order(); ++mode) result.factors.emplace_back(0, options.rank);
  }
  return result;
}

}  // namespace tempera
