#include "distributed/tensor/local_rows.hpp"

#include <algorithm>

#include "core/base/contract.hpp"

namespace tempera {

std::vector<Index> distinct_indices(std::span<const SparseTensor> blocks, int mode, Index size) {
  Index count = 0;
  for (const SparseTensor& block : blocks) count += block.nonzeros();
  std::vector<Index> result;
  if (size <= 2 * count) {
    std::vector<std::uint8_t> present(static_cast<std::size_t>(size), 0);
    for (const SparseTensor& block : blocks)
      for (const Index index : block.indices(mode)) present[static_cast<std::size_t>(index)] = 1;
    for (Index k = 0; k < size; ++k)
      if (present[static_cast<std::size_t>(k)] != 0) result.push_back(k);
  } else {
    for (const SparseTensor& block : blocks)
      result.insert(result.end(), block.indices(mode).begin(), block.indices(mode).end());
    std::sort(result.begin(), result.end());
    result.erase(std::unique(result.begin(), result.end()), result.end());
  }
  return result;
}

LocalRows::LocalRows(std::span<const Index> touched, std::span<const Index> global_rows, Index lookups) {
  TEMPERA_EXPECTS(touched.size() == global_rows.size());
  if (touched.empty()) return;
  first_ = touched.front();
  const Index span = touched.back() - first_ + 1;
  if (span <= 2 * lookups) {
    table_.resize(static_cast<std::size_t>(span));
    for (std::size_t k = 0; k < global_rows.size(); ++k)
      table_[static_cast<std::size_t>(global_rows[k] - first_)] = static_cast<std::uint32_t>(k);
    return;
  }
  touched_.assign(touched.begin(), touched.end());
  table_.resize(touched.size());
  for (std::size_t k = 0; k < global_rows.size(); ++k) table_[place_of(global_rows[k])] = static_cast<std::uint32_t>(k);
}

std::size_t LocalRows::place_of(Index row) const {
  return static_cast<std::size_t>(std::lower_bound(touched_.begin(), touched_.end(), row) - touched_.begin());
}

void LocalRows::find(std::span<const Index> rows, std::span<std::uint32_t> result) const {
  if (touched_.empty())
    for (std::size_t k = 0; k < rows.size(); ++k) result[k] = table_[static_cast<std::size_t>(rows[k] - first_)];
  else
    for (std::size_t k = 0; k < rows.size(); ++k) result[k] = table_[place_of(rows[k])];
}

}  // namespace tempera
