#pragma once

#include <vector>

#include "distributed/als/cp_als.hpp"
#include "distributed/als/cp_method.hpp"
#include "distributed/als/cp_state.hpp"
#include "distributed/als/mode_update.hpp"

namespace tempera {

/// Whether a start has made its sweeps or changes no more.
bool start_is_over(const CpStart& start, const CpOptions& options);

/// What a sweep did, and what any rank of the method wished.
struct Advance {
  CpStep step;
  StepWish agreed;
};
/// One sweep of a start. Collective over the method's ranks.
Advance advance(CpMethod& method, CpStart& start, const CpOptions& options, StepWish wish);

/// Writes the figures of the start that is kept. @param requested  it was stopped on request
void report_start(const DistributedTensor& tensor, const CpMethod& method, const CpStart& kept, bool requested,
                  CpResult& result);
/// Notes on solves that needed care in any start.
void note_solves(const SolveHealth& solves, CpResult& result);

/// All starts of a CP fit on an active rank, one after the other, from the beginning or from a checkpoint to the end or to a request to stop.
class CpRun {
 public:
  /// `method` is used up by the run.
  CpRun(const DistributedTensor& tensor, const CpOptions& options, const CpObserver& observer, CpMethod& method);

  /// Leaves the best model in `result`, not yet in normal form. Collective over the active ranks.
  /// @param reader  the checkpoint it goes on from, or null
  void run(const CheckpointReader* reader, CpResult& result);

 private:
  void restore(const CheckpointReader& reader);
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
