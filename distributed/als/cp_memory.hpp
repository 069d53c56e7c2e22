#pragma once

#include <algorithm>

#include "distributed/als/cp_als.hpp"
#include "distributed/tensor/exchange_model.hpp"

namespace tempera {

/// Bytes that a CP fit holds at its fullest on this rank, beside those of the tensor (DistributedTensor::bytes).
///
/// With L_n the rows of mode n that this rank's cells touch, O_n those it answers for, l the most of any mode (L_n), p the
/// ranks, R the rank and R' its padding (padded_columns):
///   factors    8 R' Σ L_n, and 8 R' rows that no rank touches, dealt over the ranks, where a constraint fills them
///   product    8 R' l; for Newton steps of counts, and for least squares where absent cells are not observed,
///              R (R + 3) / 2 columns, padded, in place of R'
///   kept       what products of a sweep share (DistributedTensor::sweep_bytes; not for counts)
///   previous   8 R' Σ L_n with extrapolation
///   best       8 R' Σ O_n with several starts
///   duals      8 R' O_n for each mode that ADMM solves
///   places     8 I_n for each mode whose constraint couples rows (I_n its size)
///   held       8 R' l for counts with a holdout or absent cells that are not observed, and 16 bytes a cell that is kept apart
///   rows       8 Σ O_n, the row numbers of the result; (order + 4) R² doubles
///   work       the most that one step needs meanwhile:
///     exchange of rows     8 RowExchange::buffer_rows times the columns of the product
///     ADMM row by row      16 R' O_n
///     ADMM on columns      40 R' O_n + 8 (R O_n + 2 I_n ⌈R/p⌉), on one rank 40 R' O_n + 8 I_n
///     orthogonal           8 O_n (R' + 3 R)
///     solver bpp           512 + 8 R' for each of 4096 rows a thread, or of O_n
///     damping              16 R' O_n where ADMM does not solve
///   watch      8 R' times the most O_n of any mode while the fit stands still: the mode before its update, to see how
///              far it moves (not for counts or observed cells)
///   start      with nvecs what leading_vectors needs meanwhile, before any work
/// Message buffers of the MPI library and blocks of fixed size (a few MB) come on top.
struct CpMemory {
  double factors = 0;
  double product = 0;
  double kept = 0;
  double previous = 0;
  double best = 0;
  double duals = 0;
  double places = 0;
  double held = 0;
  double rows = 0;
  double work = 0;
  double start = 0;
  double watch = 0;

  double total() const {
    return factors + product + kept + previous + best + duals + places + held + rows + std::max(work + watch, start);
  }
};

/// What cp_memory has to know of a tensor on one rank; of a rank that need not run, too.
struct CpSizes {
  std::vector<Index> shape;    ///< of the whole tensor
  std::vector<RankRows> rows;  ///< of each mode; empty on a rank that holds nothing
  std::vector<Index> spans;    ///< from the first row touched to the last, both counted
  bool dense = false;          ///< dense blocks and exchanges
  int ranks = 1;               ///< that hold something
  bool only_observed = false;  ///< DistributedTensor::only_observed
  double stored_cells = 0;     ///< of all ranks
  bool holdout = false;        ///< cells are kept apart
  double held_cells = 0;       ///< of them on this rank
  double sweep_bytes = 0;      ///< DistributedTensor::sweep_bytes
  int threads = 1;
};
/// Those of this rank. @param rank  of the model
CpSizes cp_sizes(const DistributedTensor& tensor, Index rank);

/// @param options  a rank of any size; constraints one a mode, or none
/// @param counts   of cp_apr, not cp_als
/// All zero where there are no rows.
CpMemory cp_memory(const CpSizes& sizes, const CpOptions& options, bool counts);
/// Those of this rank. Local. All zero on inactive ranks.
CpMemory cp_memory(const DistributedTensor& tensor, const CpOptions& options, bool counts);

}  // namespace tempera
