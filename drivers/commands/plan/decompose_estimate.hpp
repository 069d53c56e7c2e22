#pragma once

#include <map>
#include <string>
#include <vector>

#include "distributed/als/cp_memory.hpp"
#include "distributed/als/cp_traffic.hpp"
#include "distributed/tensor/planned_tensor.hpp"
#include "drivers/commands/plan/sweep_time.hpp"

namespace tempera::drivers {

/// What is sent in one sweep: by all ranks, and by the one that sends most bytes.
struct SentInSweep {
  Traffic total;
  Traffic heaviest;
};

/// Bytes on one rank.
struct RankMemory {
  double cells = 0;    ///< trees or dense block
  double rows = 0;     ///< numbers of the rows it touches
  double fit = 0;      ///< CpMemory::total
  double process = 0;  ///< buffers of MPI, files and results
  double loading = 0;  ///< at the fullest moment while the tensor is read and distributed

  double total() const { return std::max(loading, cells + rows + fit + process); }
};

/// A sweep of a decomposition on so many ranks.
struct DecomposeEstimate {
  int asked = 1;  ///< ranks; those of the grid may be fewer
  PlannedLayout layout;
  RankMemory memory;      ///< of the fullest rank
  double memory_all = 0;  ///< bytes of all ranks
  SentInSweep sent;
  std::map<std::string, SentInSweep> regions;  ///< "sweep/reduce rows"
  std::vector<SentInSweep> modes;              ///< rows of each mode, both ways
  Index rows_sent = 0;                         ///< factor rows that travel in a sweep, all ranks: each of rank words
  Placement placement;
  SweepTime time;
};

/// Estimates of one tensor and fit for any number of ranks.
class DecomposeEstimates {
 public:
  /// @param threads  OpenMP threads of a rank
  DecomposeEstimates(PlannedTensor& tensor, CpOptions options, bool counts, int threads, Machine machine);

  const CpOptions& options() const { return options_; }
  const Machine& machine() const { return machine_; }
  bool counts() const { return counts_; }
  int threads() const { return threads_; }
  const SweepTensor& sweep_tensor() const { return sweep_tensor_; }

  /// All figures, from the same partition and the same trees as a job would make.
  DecomposeEstimate exact(int ranks, const std::vector<int>& grid);
  /// For tables: the partition is chosen from a smaller sample, the trees take as much a nonzero as in the last exact one.
  DecomposeEstimate quick(int ranks);

 private:
  void add_traffic(DecomposeEstimate& estimate) const;
  void add_memory(DecomposeEstimate& estimate) const;
  void add_time(DecomposeEstimate& estimate) const;
  std::vector<RankRows> rows_of(const PlannedLayout& layout, int rank) const;

  PlannedTensor& tensor_;
  CpOptions options_;
  bool counts_;
  int threads_;
  Machine machine_;
  SweepTensor sweep_tensor_;
  std::vector<Constraint> constraints_;
  PlannedCells fullest_;  ///< of the last exact estimate
};

}  // namespace tempera::drivers
