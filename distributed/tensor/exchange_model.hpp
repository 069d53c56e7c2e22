#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/tensor/sparse_tensor.hpp"
#include "distributed/tensor/nonzero_partition.hpp"

namespace tempera {

/// The rows of one mode on one rank of a job that need not run: what its RowExchange would hold and send.
struct RankRows {
  Index touched = 0;          ///< RowLayout::rows()
  Index owned = 0;            ///< RowLayout::owned_count
  Index copies = 0;           ///< of owned rows, on other ranks: what a sharing sends
  std::int32_t owners = 0;    ///< other ranks that own touched rows: messages of a reduction
  std::int32_t holders = 0;   ///< other ranks that touch owned rows: messages of a sharing
  std::int32_t together = 1;  ///< ranks that exchange rows: those of the layer, or all of them
  Index unseen = 0;           ///< rows that no rank touches, of which this one takes its share where they are filled

  Index ghosts() const { return touched - owned; }
  /// As RowExchange::rows_sent: of one reduction and one sharing.
  Index rows_sent() const { return ghosts() + copies; }
};

/// As RowExchange::buffer_rows. @param dense  of a dense exchange
Index buffer_rows(const RankRows& rows, bool dense, Index columns);

/// One mode: rows[r] of rank r.
struct ModeRows {
  std::vector<RankRows> rows;
  bool dense = false;  ///< reduce-scatter and all-gather over the layer (dense_row_exchange)
};

/// The nonzeros of a tensor that lies whole on this process, by the rows of every mode. From it follow the row exchanges
/// of any assignment of the nonzeros to any number of ranks, exactly as sparse_row_exchange would set them up.
///
/// Memory: 4 bytes a nonzero and 12 a row, for each mode. Cost: a sort of the nonzeros a mode.
class NonzeroRows {
 public:
  /// All nonzeros of the blocks, numbered through. @throws Error{environment} beyond 2^32 − 1 nonzeros
  NonzeroRows(std::span<const Index> shape, std::span<const SparseTensor> blocks);

  int order() const { return static_cast<int>(modes_.size()); }
  std::size_t nonzeros() const { return nonzeros_; }
  /// Distinct rows of a mode.
  std::size_t rows(int mode) const { return modes_[static_cast<std::size_t>(mode)].rows.size(); }

  /// Which rank has each nonzero under a partition.
  std::vector<std::int32_t> ranks_of(const NonzeroPartition& partition, std::span<const SparseTensor> blocks) const;

  /// Exchange of one mode under a partition of the nonzeros to these ranks.
  ModeRows exchange(int mode, const NonzeroPartition& partition, std::span<const std::int32_t> rank_of) const;
  /// The same where any rank may touch any row.
  ModeRows exchange_among_all(int mode, int ranks, std::span<const std::int32_t> rank_of) const;

  /// Calls with the row number and the numbers of its nonzeros, row by row.
  void for_each_row(int mode,
                    const std::function<void(Index row, std::span<const std::uint32_t> nonzeros)>& visit) const;

 private:
  struct Mode {
    Index size;
    std::vector<Index> rows;          ///< distinct, increasing
    std::vector<std::size_t> starts;  ///< of each row in `nonzeros`, and the end
    std::vector<std::uint32_t> nonzeros;
  };
  ModeRows exchange(int mode, int ranks, int layer_size, const std::function<int(Index row)>& layer_of,
                    std::span<const std::int32_t> rank_of) const;

  std::size_t nonzeros_ = 0;
  std::vector<Mode> modes_;
};

/// Rows of every mode on the ranks of a grid of even dense blocks.
std::vector<ModeRows> dense_mode_rows(std::span<const Index> shape, const std::vector<int>& grid);

/// The part of an even split of `size` into `parts`: first index and length.
struct EvenPart {
  Index first;
  Index count;
};
EvenPart even_part(Index size, Index parts, Index part);

}  // namespace tempera
