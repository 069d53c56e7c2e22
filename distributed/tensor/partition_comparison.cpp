#include "distributed/tensor/partition_comparison.hpp"

#include <algorithm>
#include <functional>
#include <queue>
#include <utility>

namespace tempera {

namespace {

constexpr std::size_t kRemembered = 8;  // ranks of a row

/// Number of the row of each nonzero among the rows that are touched.
std::vector<std::vector<std::uint32_t>> row_numbers(const NonzeroRows& rows) {
  std::vector<std::vector<std::uint32_t>> numbers;
  for (int mode = 0; mode < rows.order(); ++mode) {
    std::vector<std::uint32_t>& of_mode = numbers.emplace_back(rows.nonzeros());
    std::uint32_t number = 0;
    rows.for_each_row(mode, [&](Index, std::span<const std::uint32_t> nonzeros) {
      for (const std::uint32_t k : nonzeros) of_mode[k] = number;
      ++number;
    });
  }
  return numbers;
}

double balance_of(std::span<const Index> loads) {
  double sum = 0;
  for (const Index load : loads) sum += static_cast<double>(load);
  return static_cast<double>(*std::max_element(loads.begin(), loads.end())) * static_cast<double>(loads.size()) /
         std::max(1.0, sum);
}

/// The last ranks that were given a nonzero of each row.
class RecentRanks {
 public:
  explicit RecentRanks(std::size_t rows) : ranks_(rows * kRemembered, -1) {}
  std::span<const std::int32_t> of(std::size_t row) const {
    return std::span(ranks_).subspan(row * kRemembered, kRemembered);
  }
  void note(std::size_t row, std::int32_t rank) {
    const auto mine = std::span(ranks_).subspan(row * kRemembered, kRemembered);
    auto found = std::find(mine.begin(), mine.end(), rank);
    if (found == mine.end()) found = mine.end() - 1;
    std::copy_backward(mine.begin(), found, found + 1);
    mine.front() = rank;
  }

 private:
  std::vector<std::int32_t> ranks_;
};

/// Ranks by load; loads only grow.
class Lightest {
 public:
  explicit Lightest(std::span<const Index> loads) : loads_(loads) {
    for (std::size_t rank = 0; rank < loads.size(); ++rank) queue_.push({0, static_cast<std::int32_t>(rank)});
  }
  std::int32_t find() {
    for (;;) {
      const auto [load, rank] = queue_.top();
      const Index now = loads_[static_cast<std::size_t>(rank)];
      if (now == load) return rank;
      queue_.pop();
      queue_.push({now, rank});
    }
  }

 private:
  using Load = std::pair<Index, std::int32_t>;
  std::span<const Index> loads_;
  std::priority_queue<Load, std::vector<Load>, std::greater<>> queue_;
};

}  // namespace

PartitionCost fine_partition_cost(const NonzeroRows& rows, int ranks) {
  const auto numbers = row_numbers(rows);
  const auto room = static_cast<Index>(kGoodBalance * static_cast<double>(rows.nonzeros()) / ranks) + 1;
  std::vector<Index> loads(static_cast<std::size_t>(ranks), 0);
  std::vector<RecentRanks> recent;
  for (int mode = 0; mode < rows.order(); ++mode) recent.emplace_back(rows.rows(mode));
  Lightest lightest(loads);
  std::vector<std::int32_t> rank_of(rows.nonzeros());
  for (std::size_t k = 0; k < rank_of.size(); ++k) {
    std::int32_t best = -1;
    int most = 0;
    for (std::size_t mode = 0; mode < recent.size(); ++mode)
      for (const std::int32_t rank : recent[mode].of(numbers[mode][k])) {
        if (rank < 0) break;
        if (loads[static_cast<std::size_t>(rank)] >= room) continue;
        int touched = 0;
        for (std::size_t other = 0; other < recent.size(); ++other) {
          const auto known = recent[other].of(numbers[other][k]);
          touched += std::find(known.begin(), known.end(), rank) != known.end() ? 1 : 0;
        }
        if (touched <= most) continue;
        most = touched;
        best = rank;
      }
    if (best < 0) best = lightest.find();
    rank_of[k] = best;
    ++loads[static_cast<std::size_t>(best)];
    for (std::size_t mode = 0; mode < recent.size(); ++mode) recent[mode].note(numbers[mode][k], best);
  }
  PartitionCost cost{0, balance_of(loads)};
  for (int mode = 0; mode < rows.order(); ++mode)
    for (const RankRows& of_rank : rows.exchange_among_all(mode, ranks, rank_of).rows)
      cost.rows_sent += of_rank.rows_sent();
  return cost;
}

PartitionCost coarse_partition_cost(const NonzeroRows& rows, std::span<const Index> shape,
                                    std::span<const SparseTensor> blocks, int ranks) {
  std::vector<ModeParts> parts;
  std::vector<std::vector<std::int32_t>> rank_of;  // of each nonzero, mode by mode
  double balance = 1;
  for (std::size_t m = 0; m < shape.size(); ++m) {
    ModeParts& mode = parts.emplace_back(ModeParts::bins_for(shape[m], false));
    std::vector<Index> weights(static_cast<std::size_t>(mode.bins()), 0), loads(static_cast<std::size_t>(ranks), 0);
    for (const SparseTensor& block : blocks)
      for (const Index index : block.indices(static_cast<int>(m)))
        ++weights[static_cast<std::size_t>(mode.bin_of(index))];
    mode.cut(weights, ranks);
    std::vector<std::int32_t>& of_mode = rank_of.emplace_back();
    for (const SparseTensor& block : blocks)
      for (const Index index : block.indices(static_cast<int>(m))) {
        of_mode.push_back(mode.part_of(index));
        ++loads[static_cast<std::size_t>(of_mode.back())];
      }
    balance = std::max(balance, balance_of(loads));
  }
  PartitionCost cost{0, balance};
  for (int mode = 0; mode < rows.order(); ++mode) {
    std::vector<Index> last(static_cast<std::size_t>(ranks), -1);
    rows.for_each_row(mode, [&](Index row, std::span<const std::uint32_t> nonzeros) {
      const int owner = parts[static_cast<std::size_t>(mode)].part_of(row);
      last[static_cast<std::size_t>(owner)] = row;  // it needs no message
      for (const std::uint32_t k : nonzeros)
        for (int other = 0; other < rows.order(); ++other)
          if (other != mode &&
              std::exchange(last[static_cast<std::size_t>(rank_of[static_cast<std::size_t>(other)][k])], row) != row)
            ++cost.rows_sent;
    });
  }
  return cost;
}

}  // namespace tempera
