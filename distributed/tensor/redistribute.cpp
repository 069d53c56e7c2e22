#include <algorithm>
#include <bit>
#include <utility>

#include "distributed/tensor/nonzero_partition.hpp"

namespace tempera {

namespace {

// Nonzeros a rank sends in one round: a small share of what it holds, so that buffers do not count.
constexpr Index kSmallestRound = Index{1} << 12, kLargestRound = Index{1} << 17, kRounds = 32;

int rank_of(const NonzeroPartition& partition, const SparseTensor& block, std::size_t entry) {
  return partition.rank_of([&](std::size_t mode) { return block.indices(static_cast<int>(mode))[entry]; });
}

}  // namespace

std::vector<SparseTensor> joined(std::span<const Index> shape, std::vector<SparseTensor> blocks) {
  if (blocks.size() == 1) return blocks;
  std::size_t total = 0;
  for (const SparseTensor& block : blocks) total += static_cast<std::size_t>(block.nonzeros());
  std::vector<LargeVector<Index>> indices(shape.size());
  LargeVector<double> values;
  for (auto& mode : indices) mode.reserve(total);
  values.reserve(total);
  for (SparseTensor& block : blocks) {
    for (std::size_t mode = 0; mode < shape.size(); ++mode) {
      const auto part = block.indices(static_cast<int>(mode));
      indices[mode].insert(indices[mode].end(), part.begin(), part.end());
    }
    values.insert(values.end(), block.values().begin(), block.values().end());
    block = SparseTensor();
  }
  blocks.clear();
  blocks.emplace_back(std::vector<Index>(shape.begin(), shape.end()), std::move(indices), std::move(values));
  return blocks;
}

std::vector<SparseTensor> redistribute(const Communicator& communicator, const NonzeroPartition& partition,
                                       std::span<const Index> shape, std::vector<SparseTensor>&& blocks) {
  if (communicator.size() == 1) return std::move(blocks);
  const auto ranks = static_cast<std::size_t>(communicator.size());
  const std::size_t order = shape.size(), words = order + 1;
  std::vector<Index> counts(ranks, 0);
  Index held = 0;
  for (const SparseTensor& block : blocks) {
    held += block.nonzeros();
    for (std::size_t k = 0; k < static_cast<std::size_t>(block.nonzeros()); ++k)
      ++counts[static_cast<std::size_t>(rank_of(partition, block, k))];
  }
  const Index round = std::clamp(held / kRounds, kSmallestRound, kLargestRound);
  const std::vector<Index> one_each(ranks, 1);
  Index arriving = 0;
  for (Index count : communicator.all_to_all(std::span<const Index>(counts), std::span<const Index>(one_each)))
    arriving += count;

  std::vector<LargeVector<Index>> indices(order);
  LargeVector<double> values;
  for (auto& mode : indices) mode.reserve(static_cast<std::size_t>(arriving));
  values.reserve(static_cast<std::size_t>(arriving));
  std::vector<std::vector<Index>> outgoing(ranks);
  std::vector<Index> send;
  std::size_t block_number = 0, entry = 0;
  for (;;) {
    // Bucket the nonzeros of this round by destination, as words index … index, value.
    for (auto& bucket : outgoing) bucket.clear();
    Index taken = 0;
    while (block_number < blocks.size() && taken < round) {
      const SparseTensor& block = blocks[block_number];
      const auto count = static_cast<std::size_t>(block.nonzeros());
      for (; entry < count && taken < round; ++entry, ++taken) {
        auto& bucket = outgoing[static_cast<std::size_t>(rank_of(partition, block, entry))];
        for (std::size_t mode = 0; mode < order; ++mode) bucket.push_back(block.indices(static_cast<int>(mode))[entry]);
        bucket.push_back(std::bit_cast<Index>(block.values()[entry]));
      }
      if (entry == count) {
        blocks[block_number] = SparseTensor();
        ++block_number;
        entry = 0;
      }
    }
    if (communicator.all_reduce_value(taken, Reduction::maximum) == 0) break;
    send.clear();
    for (std::size_t q = 0; q < ranks; ++q) {
      counts[q] = static_cast<Index>(outgoing[q].size());
      send.insert(send.end(), outgoing[q].begin(), outgoing[q].end());
    }
    const auto received = communicator.all_to_all(std::span<const Index>(send), std::span<const Index>(counts));
    for (std::size_t k = 0; k < received.size(); k += words) {
      for (std::size_t mode = 0; mode < order; ++mode) indices[mode].push_back(received[k + mode]);
      values.push_back(std::bit_cast<double>(received[k + order]));
    }
  }
  std::vector<SparseTensor> mine;
  mine.emplace_back(std::vector<Index>(shape.begin(), shape.end()), std::move(indices), std::move(values));
  return mine;
}

}  // namespace tempera
