#include <algorithm>
#include <cmath>

#include "distributed/als/cp_sweep.hpp"

namespace tempera {

namespace {

void add_inner_products(const FactorMatrix& a, const FactorMatrix& b, Index first_b, std::span<double> inner) {
  for (Index i = 0; i < a.rows(); ++i)
    for (Index r = 0; r < a.columns(); ++r) inner[static_cast<std::size_t>(r)] += a(i, r) * b(first_b + i, r);
}

}  // namespace

void CpSweep::prepare(const SweepCare& care) {
  care_ = care;
  // Towards a start that says nothing yet no update is held back.
  double share = fresh_ ? 0 : options_.damping;
  if (care.swamp && options_.damping_in_swamps) share = std::max(share, kSwampDamping);
  for (ModeUpdate& update : updates_) update.damp(share);
}

/// The mode before its update, with its columns as they stand.
void CpSweep::remember_columns(int mode) {
  const auto m = static_cast<std::size_t>(mode);
  const RowLayout& layout = tensor_.rows(mode);
  FactorMatrix owned(layout.owned_count, options_.rank);
  std::copy_n(factors_[m].data() + layout.owned_begin * factors_[m].stride(), owned.storage().size(), owned.data());
  columns_before_.clear();
  columns_before_.push_back(std::move(owned));  // a list in braces would copy it
  columns_before_.push_back(unseen_[m]);
  squares_before_.clear();
  for (Index r = 0; r < options_.rank; ++r) squares_before_.push_back(grams_[m](r, r));
}

/// Appends this rank's part of the inner products of the columns before and now.
void CpSweep::add_columns_kept(int mode, std::vector<double>& message) const {
  const auto m = static_cast<std::size_t>(mode);
  const auto rank = static_cast<std::size_t>(options_.rank);
  message.resize(message.size() + rank);
  const auto inner = std::span<double>(message).last(rank);
  add_inner_products(columns_before_[0], factors_[m], tensor_.rows(mode).owned_begin, inner);
  add_inner_products(columns_before_[1], unseen_[m], 0, inner);
}

/// The Gram matrix is that of the new columns.
void CpSweep::note_movement(int mode, std::span<const double> inner) {
  double total = 0, change = 0;
  for (std::size_t r = 0; r < inner.size(); ++r) {
    const double squares =
        squares_before_[r] * grams_[static_cast<std::size_t>(mode)](static_cast<Index>(r), static_cast<Index>(r));
    if (squares <= 0) continue;
    const double share = weights_[r] * weights_[r];
    total += share;
    change += share * std::max(0.0, 2 * (1 - inner[r] / std::sqrt(squares)));
  }
  if (total > 0) movement_ += change / total;
  columns_before_.clear();
}

}  // namespace tempera
