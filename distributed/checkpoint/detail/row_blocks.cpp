#include "distributed/checkpoint/detail/row_blocks.hpp"

#include <algorithm>
#include <numeric>

#include "core/base/contract.hpp"

namespace tempera::detail {

namespace {

constexpr std::int64_t kCellBytes = 8;
constexpr std::int64_t kBlockBytes = std::int64_t{1} << 20;
constexpr std::int64_t kMostBlocks = 4096;
constexpr std::int64_t kRoundBytes = std::int64_t{8} << 20;  // of one rank

/// Which rank handles which rows in which round: runs of whole blocks in turn.
class Rounds {
 public:
  Rounds(const StoredRows& stored, int ranks)
      : rows_(stored.array.rows),
        row_bytes_(stored.array.columns * kCellBytes),
        block_rows_(stored.block_rows),
        // No more than an even share: a small matrix would go to the first rank as a whole.
        blocks_(std::max<Index>(1, std::min(kRoundBytes / std::max<Index>(1, stored.block_rows * row_bytes_),
                                            (stored.array.rows / stored.block_rows + ranks) / ranks))),
        ranks_(ranks) {}

  Index count() const {
    const Index step = blocks_ * block_rows_;
    return row_bytes_ == 0 ? 0 : ((rows_ + step - 1) / step + ranks_ - 1) / ranks_;
  }
  Index row_bytes() const { return row_bytes_; }
  /// Rows before the share of `rank`; that of rank + 1 ends it.
  Index begin(Index round, int rank) const { return std::min(rows_, (round * ranks_ + rank) * blocks_ * block_rows_); }
  /// Lengths of the parts of `sorted`, from position `cursor` on, that lie in the share of each rank.
  std::vector<Index> count_shares(Index round, std::span<const Index> sorted, std::size_t cursor) const {
    std::vector<Index> counts;
    auto from = sorted.begin() + static_cast<std::ptrdiff_t>(cursor);
    for (int rank = 0; rank < ranks_; ++rank) {
      const auto to = std::lower_bound(from, sorted.end(), begin(round, rank + 1));
      counts.push_back(to - from);
      from = to;
    }
    return counts;
  }

 private:
  Index rows_, row_bytes_, block_rows_, blocks_;
  int ranks_;
};

std::vector<Index> times(std::vector<Index> counts, Index factor) {
  for (Index& count : counts) count *= factor;
  return counts;
}

}  // namespace

Index rows_of_block(const ArraySpec& array) {
  const Index row_bytes = std::max<Index>(1, array.columns * kCellBytes);
  const Index wanted = std::max(kBlockBytes, array.rows / kMostBlocks * row_bytes);
  return std::max<Index>(1, wanted / row_bytes);
}

std::vector<BlockDigest> write_row_blocks(const Communicator& ranks, const RawFile& file, const StoredRows& stored,
                                          const RowSource& source) {
  const Rounds rounds(stored, ranks.size());
  const auto row_bytes = static_cast<std::size_t>(rounds.row_bytes());
  std::vector<BlockDigest> digests;
  std::vector<std::byte> packed, buffer;
  std::size_t cursor = 0;
  for (Index round = 0; round < rounds.count(); ++round) {
    const std::vector<Index> counts = rounds.count_shares(round, source.rows, cursor);
    const auto total = static_cast<std::size_t>(std::accumulate(counts.begin(), counts.end(), Index{0}));
    packed.resize(total * row_bytes);
    for (std::size_t k = 0; k < total; ++k)
      std::copy_n(source.data + (cursor + k) * source.stride_bytes, row_bytes, packed.data() + k * row_bytes);
    const auto rows = ranks.all_to_all(source.rows.subspan(cursor, total), counts);
    const auto values = ranks.all_to_all(std::span<const std::byte>(packed), times(counts, rounds.row_bytes()));
    cursor += total;
    const Index first = rounds.begin(round, ranks.rank()), last = rounds.begin(round, ranks.rank() + 1);
    if (first == last) continue;
    buffer.assign(static_cast<std::size_t>(last - first) * row_bytes, std::byte{0});
    for (std::size_t k = 0; k < rows.size(); ++k)
      std::copy_n(values.data() + k * row_bytes, row_bytes,
                  buffer.data() + static_cast<std::size_t>(rows[k] - first) * row_bytes);
    file.write(stored.offset + first * rounds.row_bytes(), buffer);
    for (Index row = first; row < last; row += stored.block_rows) {
      const Index count = std::min(stored.block_rows, last - row);
      const auto block = std::span(buffer).subspan(static_cast<std::size_t>(row - first) * row_bytes,
                                                   static_cast<std::size_t>(count) * row_bytes);
      digests.emplace_back(stored.region, row / stored.block_rows, sha256(block));
    }
  }
  TEMPERA_EXPECTS(cursor == source.rows.size());
  return digests;
}

void read_row_blocks(const Communicator& ranks, const RawFile& file, const StoredRows& stored,
                     const BlockDigests& region, const RowTarget& target) {
  const Rounds rounds(stored, ranks.size());
  const auto row_bytes = static_cast<std::size_t>(rounds.row_bytes());
  std::vector<std::size_t> order(target.rows.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return target.rows[a] < target.rows[b]; });
  std::vector<Index> sorted;
  for (const std::size_t k : order) sorted.push_back(target.rows[k]);
  TEMPERA_EXPECTS(sorted.empty() || (sorted.front() >= 0 && sorted.back() < stored.array.rows));

  std::vector<std::byte> block, reply;
  std::size_t cursor = 0;
  for (Index round = 0; round < rounds.count(); ++round) {
    const std::vector<Index> counts = rounds.count_shares(round, sorted, cursor);
    const auto total = static_cast<std::size_t>(std::accumulate(counts.begin(), counts.end(), Index{0}));
    std::vector<Index> asked_counts;
    const auto asked = ranks.all_to_all(std::span<const Index>(sorted).subspan(cursor, total), counts, &asked_counts);
    reply.resize(asked.size() * row_bytes);
    // Requests of one rank are sorted; visiting all of them by row reads each block once.
    std::vector<std::size_t> by_row(asked.size());
    std::iota(by_row.begin(), by_row.end(), std::size_t{0});
    std::sort(by_row.begin(), by_row.end(), [&](std::size_t a, std::size_t b) { return asked[a] < asked[b]; });
    Index loaded = -1;
    for (const std::size_t k : by_row) {
      const Index wanted = asked[k] / stored.block_rows;
      if (wanted != loaded) read_verified(file, region, wanted, block);
      loaded = wanted;
      std::copy_n(block.data() + static_cast<std::size_t>(asked[k] % stored.block_rows) * row_bytes, row_bytes,
                  reply.data() + k * row_bytes);
    }
    const auto values = ranks.all_to_all(std::span<const std::byte>(reply), times(asked_counts, rounds.row_bytes()));
    for (std::size_t k = 0; k < total; ++k)
      std::copy_n(values.data() + k * row_bytes, row_bytes, target.data + order[cursor + k] * target.stride_bytes);
    cursor += total;
  }
}

}  // namespace tempera::detail
