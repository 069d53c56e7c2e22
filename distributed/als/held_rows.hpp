#pragma once

#include <span>
#include <vector>

#include "core/tensor/factor_matrix.hpp"
#include "distributed/communicator/communicator.hpp"
#include "distributed/tensor/row_exchange.hpp"

namespace tempera {

/// The rows of one mode that a rank answers for: those it owns and, where a constraint gives rows without data a value,
/// its share of the rows that no rank touches.
///
/// Owned rows live among the local rows of the layout; unseen ones in a matrix of their own, `unseen`. Held rows are both,
/// in increasing order of global row.
class HeldRows {
 public:
  /// @param fill  every row has to have a holder. Collective if so.
  HeldRows(const Communicator& ranks, const RowLayout& layout, Index size, bool fill);

  std::span<const Index> rows() const {
    return unseen_.empty() ? layout_->owned_rows() : std::span<const Index>(rows_);
  }
  Index count() const { return static_cast<Index>(rows().size()); }
  /// Global rows of `unseen`, increasing.
  const std::vector<Index>& unseen_rows() const { return unseen_; }

  FactorMatrix gather(const FactorMatrix& local, const FactorMatrix& unseen) const;
  void scatter(const FactorMatrix& held, FactorMatrix& local, FactorMatrix& unseen) const;

 private:
  const RowLayout* layout_;
  std::vector<Index> unseen_;
  std::vector<Index> rows_;
  std::vector<Index> source_;  ///< of each held row: the owned one, or −1 − the unseen one
};

}  // namespace tempera
