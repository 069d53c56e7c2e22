#pragma once

#include <functional>
#include <optional>
#include <string>

#include "distributed/checkpoint/checkpoint_schedule.hpp"
#include "distributed/checkpoint/checkpoint_store.hpp"

namespace tempera {

struct CheckpointHooks {
  std::function<bool()> stop_requested;              ///< on every rank: a signal came
  std::function<nlohmann::ordered_json()> progress;  ///< on rank 0: where the computation stands
  std::function<void(const std::string&)> warn;      ///< on rank 0: what went wrong, the run goes on
  /// On rank 0, once at the beginning: what the run goes on from, or null if there is nothing.
  std::function<void(const CheckpointReader*)> restored;
  std::function<void(const GenerationInfo&, double seconds)>
      saved;  ///< on rank 0: what was written, and how long it took
};

/// The checkpoints of a run as its engine sees them: when to save, and a save that no full disk can end the run with.
class Checkpoints {
 public:
  /// Hooks may be empty. `store` must outlive this object.
  Checkpoints(CheckpointStore& store, const ScheduleSettings& schedule, CheckpointHooks hooks);

  /// Where they lie; segments lie beside them.
  const std::filesystem::path& folder() const { return store_.folder(); }
  /// Before each step, on every rank. Local; all ranks then have to agree on what any of them wants.
  StepWish before_step(const Communicator& ranks);
  /// Writes a generation. False, on all ranks, if that was not possible: a warning is out then, what was there before
  /// is still there, and the next time it is tried again. Collective.
  bool save(const Communicator& ranks, const std::function<void(CheckpointWriter&)>& parts);
  /// The same when the computation has reached its end, so that it can be extended; nothing without periodic
  /// checkpoints.
  void save_end(const Communicator& ranks, const std::function<void(CheckpointWriter&)>& parts);
  /// The newest whole generation if this run goes on from one. Collective.
  std::optional<CheckpointReader> restore(const Communicator& ranks);

  /// Why the last attempt to save failed; nothing if it went well or there was none.
  const std::optional<Error>& failure() const { return failure_; }
  /// The newest generation that is known to be whole.
  const std::optional<GenerationInfo>& newest() const { return newest_; }

 private:
  CheckpointStore& store_;
  CheckpointSchedule schedule_;
  CheckpointHooks hooks_;
  bool periodic_;
  std::optional<Error> failure_;
  std::optional<GenerationInfo> newest_;
};

}  // namespace tempera
