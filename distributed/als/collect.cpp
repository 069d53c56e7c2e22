#include "distributed/als/collect.hpp"

#include <algorithm>
#include <cmath>

#include "core/base/contract.hpp"

namespace tempera {

void for_each_row_block(const Communicator& communicator, Index size, std::span<const Index> rows,
                        const FactorMatrix& factor, Index block_rows,
                        const std::function<void(Index first, const FactorMatrix& block)>& on_root) {
  TEMPERA_EXPECTS(static_cast<Index>(rows.size()) == factor.rows() && block_rows >= 1);
  const Index columns = factor.columns();
  std::size_t next = 0;
  for (Index first = 0; first < size; first += block_rows) {
    const Index count = std::min(block_rows, size - first);
    std::vector<Index> mine;
    std::vector<double> values;
    for (; next < rows.size() && rows[next] < first + count; ++next) {
      mine.push_back(rows[next] - first);
      const double* row = factor.row(static_cast<Index>(next));
      values.insert(values.end(), row, row + columns);
    }
    const auto all_rows = communicator.gather(std::span<const Index>(mine), 0);
    const auto all_values = communicator.gather(std::span<const double>(values), 0);
    if (!communicator.is_root()) continue;
    FactorMatrix block(count, columns);
    for (std::size_t k = 0; k < all_rows.size(); ++k)
      std::copy_n(all_values.data() + k * static_cast<std::size_t>(columns), columns, block.row(all_rows[k]));
    on_root(first, block);
  }
}

std::vector<std::vector<TopEntry>> top_entries(const Communicator& communicator, std::span<const Index> rows,
                                               const FactorMatrix& factor, int count) {
  const auto larger = [](const TopEntry& a, const TopEntry& b) {
    return std::abs(a.value) != std::abs(b.value) ? std::abs(a.value) > std::abs(b.value) : a.row < b.row;
  };
  std::vector<std::vector<TopEntry>> result;
  for (Index r = 0; r < factor.columns(); ++r) {
    std::vector<TopEntry> mine;
    for (Index i = 0; i < factor.rows(); ++i)
      if (factor(i, r) != 0) mine.push_back({rows[static_cast<std::size_t>(i)], factor(i, r)});
    const auto keep = [&](std::vector<TopEntry>& entries) {
      const std::size_t kept = std::min(entries.size(), static_cast<std::size_t>(count));
      std::partial_sort(entries.begin(), entries.begin() + static_cast<std::ptrdiff_t>(kept), entries.end(), larger);
      entries.resize(kept);
    };
    keep(mine);
    auto all = communicator.gather(std::span<const TopEntry>(mine), 0);
    keep(all);
    if (communicator.is_root()) result.push_back(std::move(all));
  }
  return result;
}

}  // namespace tempera
