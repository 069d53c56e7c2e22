#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/tensor/factor_matrix.hpp"
#include "distributed/communicator/communicator.hpp"

namespace tempera {

/// Which rows of one factor matrix a rank holds, and which of them it owns.
///
/// Local row k is row global_rows[k] of the whole factor. Rows [owned_begin, owned_begin + owned_count) are updated by
/// this rank; the others are ghosts, copies of rows that another rank of the layer owns. Each row that any rank touches
/// has exactly one owner. Owned rows are in increasing order of global row.
struct RowLayout {
  std::vector<Index> global_rows;
  Index owned_begin = 0;
  Index owned_count = 0;

  Index rows() const { return static_cast<Index>(global_rows.size()); }
  std::span<const Index> owned_rows() const {
    return std::span<const Index>(global_rows)
        .subspan(static_cast<std::size_t>(owned_begin), static_cast<std::size_t>(owned_count));
  }
};

/// An exchange of rows that has begun and may go on while the caller computes. The matrix has to outlive it; which of
/// its rows may change meanwhile says the function that began it.
class PendingRows {
 public:
  virtual ~PendingRows() = default;
  /// Makes progress without waiting, as PendingExchange::advance. Not collective.
  virtual void advance() = 0;
  /// Waits until the rows have arrived. Collective over the layer; no other exchange of the same mode may begin before.
  virtual void finish() = 0;
};

/// Moves factor rows of one mode between the ranks of a layer of the process grid.
class RowExchange {
 public:
  virtual ~RowExchange() = default;
  const RowLayout& layout() const { return layout_; }
  /// Rows of so many columns that the buffers of one exchange hold; rows without padding travel from and to where they are.
  virtual Index buffer_rows(Index columns) const = 0;
  /// Of the row numbers and lists.
  virtual std::size_t bytes() const { return layout_.global_rows.size() * sizeof(Index); }

  /// Adds the partial sums of all ranks of the layer into the owned rows; ghost rows are undefined afterwards.
  /// Contributions are added in the order of the ranks. Collective over the layer.
  void reduce_to_owners(FactorMatrix& partial) const { begin_reduction(partial)->finish(); }
  /// Copies owned rows to every rank of the layer that holds them as ghosts. Collective over the layer.
  void share_with_ghosts(FactorMatrix& rows) const { begin_sharing(rows)->finish(); }
  /// reduce_to_owners: the ghost rows are as they shall be, the owned rows may change until finish().
  [[nodiscard]] virtual std::unique_ptr<PendingRows> begin_reduction(FactorMatrix& partial) const = 0;
  /// share_with_ghosts: the owned rows as they are now are shared; the ghost rows may not be touched until finish().
  [[nodiscard]] virtual std::unique_ptr<PendingRows> begin_sharing(FactorMatrix& rows) const = 0;
  /// Rows that this rank sends in one reduction and one sharing together.
  virtual Index rows_sent() const = 0;
  /// Ranks that exchange rows: those of the layer, or all active ones.
  virtual int ranks() const = 0;

 protected:
  RowLayout layout_;
};

/// Sparse point-to-point exchange: a row travels only between its owner and the ranks whose nonzeros touch it, so the
/// words moved each way are Σ over rows (ranks touching the row − 1) · rank.
///
/// @param touched  global rows that occur in this rank's nonzeros, increasing
/// The owner is one of the ranks that touch the row: the only one, or the one that owns fewest rows so far. Local order:
/// owned rows, then ghosts grouped by owner. Collective over `layer`.
/// Memory: proportional to the touched rows of this rank. Rows without padding leave and reach ghosts where they stand.
/// Never more words than dense_row_exchange, and no more messages: also the choice where all ranks touch all rows.
std::unique_ptr<RowExchange> sparse_row_exchange(const Communicator& layer, std::span<const Index> touched);

/// Dense exchange of the block of rows [first, first + count), the same on all ranks of the layer: reduce-scatter and
/// all-gather over an even split of the rows. A layer of one rank moves nothing. Collective over `layer`.
std::unique_ptr<RowExchange> dense_row_exchange(const Communicator& layer, Index first, Index count);

}  // namespace tempera
