#include "distributed/als/cp_apr.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "core/base/error.hpp"
#include "distributed/als/cp_apr_sweep.hpp"
#include "distributed/als/cp_outcome.hpp"
#include "distributed/als/cp_starts.hpp"

namespace tempera {

namespace {

constexpr double kHessianBudget = 4;  // times the coordinates

bool is_count(double value) {
  return value >= 0 && value == std::floor(value);
}

/// The lowest of the ranks' cells in the order of the coordinates. Each cell: order coordinates; no or one cell a rank.
std::vector<Index> lowest_cell(std::span<const Index> cells, std::size_t order) {
  std::vector<Index> lowest(cells.begin(), cells.begin() + static_cast<std::ptrdiff_t>(order));
  for (std::size_t k = order; k < cells.size(); k += order) {
    const auto cell = cells.subspan(k, order);
    if (std::lexicographical_compare(cell.begin(), cell.end(), lowest.begin(), lowest.end()))
      lowest.assign(cell.begin(), cell.end());
  }
  return lowest;
}

/// From columns of unit sum to columns of unit norm.
void normalise_columns(const DistributedTensor& tensor, CpResult& result) {
  const auto rank = result.weights.size();
  result.component_totals = result.weights;
  std::vector<double> squares;
  for (const FactorMatrix& factor : result.factors)
    for (Index r = 0; r < factor.columns(); ++r) {
      double sum = 0;
      for (Index i = 0; i < factor.rows(); ++i) sum += factor(i, r) * factor(i, r);
      squares.push_back(sum);
    }
  tensor.grid().active_ranks().all_reduce(std::span<double>(squares), Reduction::sum);
  for (std::size_t mode = 0; mode < result.factors.size(); ++mode)
    for (std::size_t r = 0; r < rank; ++r) {
      const double norm = std::sqrt(squares[mode * rank + r]);
      result.weights[r] *= norm;
      FactorMatrix& factor = result.factors[mode];
      for (Index i = 0; norm > 0 && i < factor.rows(); ++i) factor(i, static_cast<Index>(r)) /= norm;
    }
}

}  // namespace

double count_total(const DistributedTensor& tensor, Index index_base, const std::string& name,
                   const std::string& option) {
  double total = 0, bad_value = 0;
  std::vector<Index> bad;
  const auto check = [&](std::span<const Index> cell, double value) {
    if (is_count(value)) return;
    if (!bad.empty() && !std::lexicographical_compare(cell.begin(), cell.end(), bad.begin(), bad.end())) return;
    bad.assign(cell.begin(), cell.end());
    bad_value = value;
  };
  if (tensor.active()) {
    tensor.for_each_cell([&](std::span<const Index> cell, double value) {
      total += value;
      check(cell, value);
    });
    const CellList& held = tensor.holdout().cells;
    std::vector<Index> cell(static_cast<std::size_t>(tensor.order()));
    for (std::size_t k = 0; k < held.values.size(); ++k) {
      for (int mode = 0; mode < tensor.order(); ++mode) {
        const auto m = static_cast<std::size_t>(mode);
        cell[m] = tensor.rows(mode).global_rows[static_cast<std::size_t>(held.indices[m][k])];
      }
      check(cell, held.values[k]);
    }
  }
  const Communicator& all = tensor.grid().all();
  const auto cells = all.all_gather(std::span<const Index>(bad));
  if (!cells.empty()) {
    std::vector<Index> first = lowest_cell(cells, static_cast<std::size_t>(tensor.order()));
    const double value = all.all_reduce_value(first == bad ? bad_value : 0.0, Reduction::sum);
    for (Index& index : first) index += index_base;
    throw Error(Category::input, name,
                fmt::format("cell ({}), counted from {}, holds {}: {} poisson takes counts, whole numbers from 0 up",
                            fmt::join(first, ", "), index_base, value, option),
                value < 0 ? option + " gaussian takes any values" : "round the values, or use " + option + " gaussian");
  }
  return all.all_reduce_value(total, Reduction::sum);
}

CountSolver chosen_solver(std::span<const Index> shape, double stored_cells, const CpOptions& options) {
  if (options.count_solver != CountSolver::automatic) return options.count_solver;
  const auto longest = static_cast<double>(*std::max_element(shape.begin(), shape.end()));
  const auto rank = static_cast<double>(options.rank);
  const double hessians = longest * rank * (rank + 3) / 2;
  const double coordinates = stored_cells * (static_cast<double>(shape.size()) + 1);
  return hessians <= kHessianBudget * coordinates ? CountSolver::newton : CountSolver::multiplicative;
}

CountSolver chosen_solver(const DistributedTensor& tensor, const CpOptions& options) {
  return chosen_solver(tensor.shape(), static_cast<double>(tensor.stored_cells()), options);
}

double hessian_columns(std::span<const Index> shape, double stored_cells, const CpOptions& options) {
  const auto rank = static_cast<double>(options.rank);
  return chosen_solver(shape, stored_cells, options) == CountSolver::newton ? rank * (rank + 1) / 2 : 0;
}

double hessian_columns(const DistributedTensor& tensor, const CpOptions& options) {
  return hessian_columns(tensor.shape(), static_cast<double>(tensor.stored_cells()), options);
}

CpResult cp_apr(const DistributedTensor& tensor, const CpOptions& options, const CpObserver& observer) {
  check_cp_options(tensor.shape(), options);
  const auto region = tensor.grid().all().regions().open("cp-apr");
  const double total = count_total(tensor);
  CpResult outcome = cp_outcome(tensor, options, [&](CpResult& result) {
    const auto make = [&](const DistributedTensor& own) { return std::make_unique<CpAprSweep>(own, options, total); };
    run_starts(tensor, options, observer, make, result);
    normalise_columns(tensor, result);
  });
  if (total == 0) {
    outcome.deviance = 0;
    outcome.restart_deviances = {0.0};
    outcome.component_totals.assign(outcome.weights.size(), 0.0);
  }
  return outcome;
}

}  // namespace tempera
