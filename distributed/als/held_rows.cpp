#include "distributed/als/held_rows.hpp"

#include <algorithm>

namespace tempera {

namespace {

/// The rows of [0, size) that nobody names, dealt in blocks of consecutive rows. Collective; memory: the block.
std::vector<Index> rows_of_nobody(const Communicator& ranks, std::span<const Index> owned, Index size) {
  const Index parts = ranks.size();
  const auto begin_of = [&](Index part) { return size / parts * part + std::min(part, size % parts); };
  std::vector<Index> counts(static_cast<std::size_t>(parts), 0);
  for (Index part = 0; part < parts; ++part)
    counts[static_cast<std::size_t>(part)] = std::lower_bound(owned.begin(), owned.end(), begin_of(part + 1)) -
                                             std::lower_bound(owned.begin(), owned.end(), begin_of(part));
  const auto named = ranks.all_to_all(owned, std::span<const Index>(counts));
  const Index first = begin_of(ranks.rank()), last = begin_of(ranks.rank() + 1);
  std::vector<bool> seen(static_cast<std::size_t>(last - first));
  for (const Index row : named) seen[static_cast<std::size_t>(row - first)] = true;
  std::vector<Index> rest;
  for (Index row = first; row < last; ++row)
    if (!seen[static_cast<std::size_t>(row - first)]) rest.push_back(row);
  return rest;
}

}  // namespace

HeldRows::HeldRows(const Communicator& ranks, const RowLayout& layout, Index size, bool fill) : layout_(&layout) {
  if (fill) unseen_ = rows_of_nobody(ranks, layout.owned_rows(), size);
  if (unseen_.empty()) return;
  const auto owned = layout.owned_rows();
  rows_.resize(owned.size() + unseen_.size());
  std::merge(owned.begin(), owned.end(), unseen_.begin(), unseen_.end(), rows_.begin());
  Index from_owned = 0, from_unseen = 0;
  for (const Index row : rows_) {
    const bool is_owned = from_owned < std::ssize(owned) && owned[static_cast<std::size_t>(from_owned)] == row;
    source_.push_back(is_owned ? from_owned++ : -1 - from_unseen++);
  }
}

FactorMatrix HeldRows::gather(const FactorMatrix& local, const FactorMatrix& unseen) const {
  FactorMatrix held(count(), local.columns());
  if (unseen_.empty()) {
    std::copy_n(local.data() + layout_->owned_begin * local.stride(), held.storage().size(), held.data());
    return held;
  }
  for (Index i = 0; i < held.rows(); ++i) {
    const Index source = source_[static_cast<std::size_t>(i)];
    std::copy_n(source >= 0 ? local.row(layout_->owned_begin + source) : unseen.row(-1 - source), local.columns(),
                held.row(i));
  }
  return held;
}

void HeldRows::scatter(const FactorMatrix& held, FactorMatrix& local, FactorMatrix& unseen) const {
  for (Index i = 0; i < held.rows(); ++i) {
    const Index source = unseen_.empty() ? i : source_[static_cast<std::size_t>(i)];
    std::copy_n(held.row(i), held.columns(),
                source >= 0 ? local.row(layout_->owned_begin + source) : unseen.row(-1 - source));
  }
}

}  // namespace tempera
