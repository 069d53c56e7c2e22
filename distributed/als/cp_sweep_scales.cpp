#include <algorithm>
#include <numeric>

#include "distributed/als/cp_sweep.hpp"

namespace tempera {

double CpSweep::penalty_of(int mode) const {
  const auto m = static_cast<std::size_t>(mode);
  const Constraint& constraint = updates_[m].constraint();
  double sum = 0;
  if (constraint.penalised())
    for (const ColumnFigures& column : figures_[m]) sum += scale_cost(constraint, column).at(1);
  return sum;
}

/// The largest shares of the bounds over all entries, where a box limits how far columns may be scaled.
void CpSweep::measure_bounds() {
  const auto rank = static_cast<std::size_t>(options_.rank);
  std::vector<double> message;
  for (std::size_t m = 0; m < figures_.size(); ++m) {
    if (!updates_[m].constraint().has_box()) continue;
    std::vector<ColumnFigures> mine(rank);
    const RowLayout& layout = tensor_.rows(static_cast<int>(m));
    const auto note = [&](const FactorMatrix& rows, Index first, Index count) {
      for (Index i = first; i < first + count; ++i)
        for (std::size_t r = 0; r < rank; ++r) note_bounds(updates_[m].constraint(), rows.row(i)[r], mine[r]);
    };
    note(factors_[m], layout.owned_begin, layout.owned_count);
    note(unseen_[m], 0, unseen_[m].rows());
    for (const ColumnFigures& column : mine) message.insert(message.end(), {column.reach, column.need});
  }
  if (message.empty()) return;
  tensor_.grid().active_ranks().all_reduce(std::span<double>(message), Reduction::maximum);
  std::size_t next = 0;
  for (std::size_t m = 0; m < figures_.size(); ++m)
    for (std::size_t r = 0; updates_[m].constraint().has_box() && r < rank; ++r) {
      figures_[m][r].reach = message[next++];
      figures_[m][r].need = message[next++];
    }
}

/// Between sweeps: for each component the scales of its columns at which the penalties are least. Alternating updates
/// alone move scale from mode to mode at a sublinear pace, as each sees the others' scale as given.
void CpSweep::balance_scales() {
  if (scale_ != ComponentScale::held || std::accumulate(penalties_.begin(), penalties_.end(), 0.0) == 0) return;
  const auto region = tensor_.grid().active_ranks().regions().open("balance");
  measure_bounds();
  const std::size_t order = factors_.size(), rank = weights_.size();
  // One rank decides: logarithms may differ in the last bit between processors.
  std::vector<double> scales(order * rank, 1.0);
  for (std::size_t r = 0; r < rank; ++r) {
    std::vector<ScaleCost> costs;
    bool alive = true;
    for (std::size_t m = 0; m < order; ++m) {
      costs.push_back(scale_cost(updates_[m].constraint(), figures_[m][r]));
      alive = alive && figures_[m][r].squared > 0;
    }
    if (!alive) continue;
    const std::vector<double> best = balanced_scales(costs);
    for (std::size_t m = 0; m < order; ++m) scales[m * rank + r] = best[m];
  }
  tensor_.grid().active_ranks().broadcast(std::span<double>(scales), 0);
  for (std::size_t m = 0; m < order; ++m) {
    const auto mine = std::span<const double>(scales).subspan(m * rank, rank);
    if (std::all_of(mine.begin(), mine.end(), [](double c) { return c == 1; })) continue;
    updates_[m].rescale(mine, factors_[m], unseen_[m]);
    moved(static_cast<int>(m));
    for (std::size_t j = 0; j < rank; ++j) {
      ColumnFigures& column = figures_[m][j];
      column.absolute *= mine[j];
      column.squared *= mine[j] * mine[j];
      column.roughness *= mine[j] * mine[j];
      for (std::size_t i = 0; i < rank; ++i)
        grams_[m](static_cast<Index>(i), static_cast<Index>(j)) *= mine[i] * mine[j];
    }
    objective_ -= penalties_[m];
    penalties_[m] = penalty_of(static_cast<int>(m));
    objective_ += penalties_[m];
  }
}

}  // namespace tempera
