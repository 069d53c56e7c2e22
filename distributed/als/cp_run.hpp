#pragma once

#include <vector>

#include "distributed/als/cp_als.hpp"
#include "distributed/als/cp_method.hpp"
#include "distributed/als/cp_state.hpp"

namespace tempera {

/// All starts of a CP fit on an active rank, from the beginning or from a checkpoint to the end or to a request to stop.
class CpRun {
 public:
  /// `method` is used up by the run.
  CpRun(const DistributedTensor& tensor, const CpOptions& options, const CpObserver& observer, CpMethod& method);

  /// Leaves the best model in `result`, not yet in normal form. Collective over the active ranks.
  void run(CpResult& result);

 private:
  bool restore();
  bool start_is_over() const;
  bool is_last_start() const { return state_.current.restart + 1 >= options_.restarts || extending_; }
  /// Sweeps until the start is over; false if a stop was requested.
  bool sweep_to_the_end();
  void end_start();
  void end_run();
  void begin_start(int restart);
  StepWish before_step() const;
  void save_parts(CheckpointWriter& writer);
  void report(CpResult& result, bool requested);

  const DistributedTensor& tensor_;
  const Communicator& ranks_;
  const CpOptions& options_;
  const CpObserver& observer_;
  CpMethod& sweep_;
  CpState state_;
  std::vector<FactorMatrix> best_;  ///< held rows of the best start where that is not the one at hand
  bool extending_ = false;          ///< a finished run goes on: only the start that was kept
};

}  // namespace tempera
