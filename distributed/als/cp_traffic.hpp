#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "distributed/als/cp_als.hpp"
#include "distributed/communicator/operation_traffic.hpp"
#include "distributed/tensor/exchange_model.hpp"

namespace tempera {

/// An operation of the sweeps of a CP method in which ranks send.
struct SweepOperation {
  enum class Kind {
    reduce_rows,   ///< RowExchange::reduce_to_owners of rows of `words` columns
    share_rows,    ///< share_with_ghosts of the same
    all_reduce,    ///< of `words` doubles
    broadcast,     ///< of `words` doubles, by rank 0
    polar,         ///< replace_by_polar_factor of the held rows of a mode with `words` columns
    column_apply,  ///< ColumnExchange::apply on the held rows of a mode with `words` columns
    column_visit   ///< ColumnExchange::visit
  };
  std::string region;  ///< below that of the method: "sweep/reduce rows"
  Kind kind = Kind::all_reduce;
  int mode = 0;  ///< whose update it belongs to
  std::size_t words = 0;
  std::int64_t times = 0;
};

/// How often that happens in some sweeps which depends on the data: known afterwards, from the regions of a run.
struct SweepEvents {
  std::int64_t sweeps = 1;
  std::int64_t starts = 0;        ///< first sweeps of a start among them
  std::int64_t watched = 0;       ///< sweeps, no first ones, that measure how far the factors move
  std::int64_t summed_fits = 0;   ///< fits so close that they were summed cell by cell (region "residual")
  std::int64_t extrapolated = 0;  ///< sweeps that began beyond the factors
  /// ADMM steps of each mode whose constraint couples rows (region "admm"); empty: kUsualSteps in each sweep.
  std::vector<std::int64_t> column_steps;

  static constexpr std::int64_t kUsualSteps = 10;
};

/// What of a tensor decides on the operations.
struct SweepTensor {
  std::vector<Index> shape;
  double stored_cells = 0;
  bool only_observed = false;
  bool holdout = false;
};

/// All operations of these sweeps, one entry a region, kind, mode and size.
/// @param options  constraints one a mode, or none
/// @param counts   of cp_apr, not cp_als
std::vector<SweepOperation> sweep_operations(const SweepTensor& tensor, const CpOptions& options, bool counts,
                                             const SweepEvents& events);

/// Rows of a mode that each rank answers for: those it owns and, where the constraint fills rows without data, its share of
/// those (HeldRows).
std::vector<Index> held_rows(const ModeRows& mode, bool filled);

/// What one rank sends in an operation, `times` and all; exactly as the communicator counts it.
/// @param rows  of the operation's mode, all ranks; not looked at by all_reduce and broadcast
Traffic traffic_of(const SweepOperation& operation, const ModeRows& rows, std::span<const Index> held, int rank,
                   int ranks);

/// The constraints that the sweeps really have: cp_als bounds free modes where others are penalised.
std::vector<Constraint> sweep_constraints(const SweepTensor& tensor, const CpOptions& options, bool counts);

}  // namespace tempera
