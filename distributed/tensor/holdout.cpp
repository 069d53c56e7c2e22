#include "distributed/tensor/holdout.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_set>

#include "core/base/contract.hpp"
#include "core/base/random_stream.hpp"

namespace tempera {

namespace {

using LocalIndices = std::vector<std::vector<std::uint32_t>>;

SparseTensor filtered(SparseTensor& block, const HoldoutOptions& options, Missing missing, SparseTensor& held) {
  SparseTensor kept(block.shape());
  std::vector<Index> cell(static_cast<std::size_t>(block.order()));
  for (std::size_t k = 0; k < static_cast<std::size_t>(block.nonzeros()); ++k) {
    for (int mode = 0; mode < block.order(); ++mode) cell[static_cast<std::size_t>(mode)] = block.indices(mode)[k];
    const double value = block.values()[k];
    const bool counts = value != 0 || missing == Missing::unobserved;  // else it is one of the zeros
    (counts && is_held(cell, options) ? held : kept).append(cell, value);
  }
  return kept;
}

std::uint64_t hash_of(const LocalIndices& indices, std::size_t entry) {
  std::uint64_t hash = 0;
  for (const auto& mode : indices) {
    hash = (hash + mode[entry] + 0x9e3779b97f4a7c15u) * 0xbf58476d1ce4e5b9u;  // steps of SplitMix64
    hash ^= hash >> 29;
  }
  return hash;
}

/// Held entries and candidates, sorted so that equal cells are neighbours, the held ones first.
std::vector<std::size_t> sorted_extras(const LocalIndices& indices, std::size_t kept, std::size_t count) {
  std::vector<std::size_t> entries(count - kept);
  std::iota(entries.begin(), entries.end(), kept);
  std::sort(entries.begin(), entries.end(), [&](std::size_t a, std::size_t b) {
    for (const auto& mode : indices)
      if (mode[a] != mode[b]) return mode[a] < mode[b];
    return a < b;
  });
  return entries;
}

bool same_cell(const LocalIndices& indices, std::size_t a, std::size_t b) {
  return std::all_of(indices.begin(), indices.end(), [&](const auto& mode) { return mode[a] == mode[b]; });
}

}  // namespace

bool is_held(std::span<const Index> cell, const HoldoutOptions& options) {
  Index key = 0;
  for (std::size_t mode = 0; mode < cell.size(); ++mode)
    key = static_cast<Index>(
        RandomStream(options.seed, "holdout", {static_cast<Index>(mode), cell[mode], key}).next_u64());
  return RandomStream(options.seed, "holdout", {key}).uniform() < options.share;
}

SplitEntries split_entries(const Communicator& communicator, std::span<const Index> shape,
                           std::vector<SparseTensor>& blocks, const HoldoutOptions& options, Missing missing) {
  const std::vector<Index> sizes(shape.begin(), shape.end());
  SplitEntries split{SparseTensor(sizes), SparseTensor(sizes)};
  Index counts[2] = {0, 0};  // entries, held ones
  for (SparseTensor& block : blocks) {
    counts[0] += block.nonzeros();
    block = filtered(block, options, missing, split.held);
  }
  if (missing == Missing::unobserved) return split;
  counts[1] = split.held.nonzeros();
  communicator.all_reduce(std::span<Index>(counts), Reduction::sum);
  const double cells = cell_count(shape), zeros = cells - static_cast<double>(counts[0]);
  if (zeros <= 0) return split;
  const double wanted = std::min(options.share * zeros, static_cast<double>(counts[1]));
  const auto draws = static_cast<Index>(std::ceil(wanted * cells / zeros));  // some will hit nonzeros
  std::vector<Index> cell(sizes.size());
  for (Index draw = communicator.rank(); draw < draws; draw += communicator.size()) {
    RandomStream stream(options.seed, "holdout-zero", {draw});
    for (std::size_t mode = 0; mode < cell.size(); ++mode) cell[mode] = stream.uniform_index(sizes[mode]);
    split.candidates.append(cell, 0.0);
  }
  return split;
}

Holdout hold_out(const Communicator& ranks, const std::vector<std::unique_ptr<RowExchange>>& exchanges,
                 const LocalIndices& indices, std::span<const double> values, Index kept, Index held,
                 std::vector<Index>& back) {
  const auto first_extra = static_cast<std::size_t>(kept), first_candidate = static_cast<std::size_t>(kept + held);
  const std::vector<std::size_t> extras = sorted_extras(indices, first_extra, values.size());
  std::unordered_set<std::uint64_t> drawn;
  for (std::size_t entry : extras)
    if (entry >= first_candidate) drawn.insert(hash_of(indices, entry));
  std::vector<FactorMatrix> kept_in_row;
  for (const auto& exchange : exchanges) kept_in_row.emplace_back(exchange->layout().rows(), 1);
  for (std::size_t entry = 0; entry < first_extra; ++entry) {
    if (!drawn.empty()) drawn.erase(hash_of(indices, entry));
    for (std::size_t mode = 0; mode < indices.size(); ++mode) kept_in_row[mode](indices[mode][entry], 0) += 1;
  }
  Holdout all;
  all.cells.indices.resize(indices.size());
  std::vector<std::size_t> first, last;  // of the extras that make up each cell
  for (std::size_t k = 0, next = 0; k < extras.size(); k = next) {
    double sum = 0;
    std::size_t merged = 0;
    for (next = k; next < extras.size() && same_cell(indices, extras[k], extras[next]); ++next)
      if (extras[next] < first_candidate) {
        sum += values[extras[next]];
        ++merged;
      }
    if (merged == 0 && !drawn.contains(hash_of(indices, extras[k]))) continue;
    for (std::size_t mode = 0; mode < indices.size(); ++mode)
      all.cells.indices[mode].push_back(indices[mode][extras[k]]);
    all.cells.values.push_back(sum);
    all.stratum.push_back(merged > 0 ? 0 : 1);
    first.push_back(k);
    last.push_back(k + merged);
  }
  const std::vector<bool> returns = cells_to_return(ranks, exchanges, kept_in_row, all.cells, all);
  Holdout result;
  result.strata = {{"nonzeros", 0, 0}, {"zeros", 0, 0}};
  result.returned = all.returned;
  result.returned_mode = all.returned_mode;
  result.returned_index = all.returned_index;
  result.cells.indices.resize(indices.size());
  for (std::size_t cell = 0; cell < returns.size(); ++cell) {
    if (returns[cell]) {
      for (std::size_t k = first[cell]; k < last[cell]; ++k) back.push_back(static_cast<Index>(extras[k]));
      continue;
    }
    for (std::size_t mode = 0; mode < indices.size(); ++mode)
      result.cells.indices[mode].push_back(all.cells.indices[mode][cell]);
    result.cells.values.push_back(all.cells.values[cell]);
    result.stratum.push_back(all.stratum[cell]);
    result.merged += all.stratum[cell] == 0 ? static_cast<Index>(last[cell] - first[cell]) - 1 : 0;
  }
  return result;
}

std::vector<bool> cells_to_return(const Communicator& ranks, const std::vector<std::unique_ptr<RowExchange>>& exchanges,
                                  std::vector<FactorMatrix>& kept_in_row, const CellList& cells, Holdout& holdout) {
  for (std::size_t mode = 0; mode < exchanges.size(); ++mode) {
    exchanges[mode]->reduce_to_owners(kept_in_row[mode]);
    exchanges[mode]->share_with_ghosts(kept_in_row[mode]);
  }
  struct Slice {
    Index mode, index;
    bool operator<(const Slice& other) const { return mode != other.mode ? mode < other.mode : index < other.index; }
  };
  std::vector<bool> returns(cells.values.size(), false);
  std::vector<Slice> first;
  for (std::size_t cell = 0; cell < returns.size(); ++cell)
    for (std::size_t mode = 0; mode < exchanges.size(); ++mode) {
      const Index row = cells.indices[mode][cell];
      const bool zero = !holdout.stratum.empty() && holdout.stratum[cell] == 1;  // an empty slice stays as it is
      if (zero || kept_in_row[mode](row, 0) > 0) continue;
      returns[cell] = true;
      const Slice slice{static_cast<Index>(mode), exchanges[mode]->layout().global_rows[static_cast<std::size_t>(row)]};
      if (first.empty()) first.push_back(slice);
      first[0] = std::min(first[0], slice);
    }
  const auto slices = ranks.all_gather(std::span<const Slice>(first));
  holdout.returned = ranks.all_reduce_value(static_cast<std::int64_t>(std::count(returns.begin(), returns.end(), true)),
                                            Reduction::sum);
  if (slices.empty()) return returns;
  const Slice lowest = *std::min_element(slices.begin(), slices.end());
  holdout.returned_mode = static_cast<int>(lowest.mode);
  holdout.returned_index = lowest.index;
  return returns;
}

}  // namespace tempera
