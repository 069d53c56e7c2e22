#pragma once

#include <functional>
#include <span>
#include <vector>

#include "core/tensor/factor_matrix.hpp"
#include "distributed/communicator/communicator.hpp"

namespace tempera {

/// Brings whole columns of a matrix together whose rows lie on several ranks: the columns are dealt over the ranks,
/// ⌈rank/P⌉ at most to each, and their entries come in the order of the global rows.
///
/// Memory: the numbers of all rows; meanwhile 8 bytes for each of this rank's entries and 16 for each of the rows of all
/// ranks times ⌈rank/P⌉, on one rank a single column a thread. Words moved each way: all entries but those that
/// stay, (1 − 1/P) of them.
class ColumnExchange {
 public:
  /// @param rows     global rows of this rank, increasing; no row is on two ranks
  /// @param threads  that work on columns at the same time
  /// Collective.
  ColumnExchange(const Communicator& ranks, std::span<const Index> rows, Index columns, int threads = 1);

  /// Calls change(column) once for every column, somewhere and on any thread, and brings the changed columns back. Returns
  /// the sum of what it returned, added in the order of the columns. Collective.
  double apply(FactorMatrix& rows, const std::function<double(std::span<double>)>& change) const;
  /// The values that a function which only looks has for the columns, in their order. Collective.
  std::vector<double> visit(const FactorMatrix& rows, const std::function<double(std::span<const double>)>& look) const;

 private:
  Index first_column(Index part) const { return columns_ * part / ranks_.size(); }
  Index own_columns() const { return first_column(ranks_.rank() + 1) - first_column(ranks_.rank()); }
  std::vector<double> collect(const FactorMatrix& rows) const;
  Communicator ranks_;
  Index columns_;
  int threads_;
  std::vector<Index> rows_of_rank_;
  std::vector<std::size_t> place_;  ///< of the k-th row, by rank and then by row, in the whole column
};

}  // namespace tempera
