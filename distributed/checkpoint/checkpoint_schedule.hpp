#pragma once

#include <functional>
#include <optional>

namespace tempera {

/// What a rank wants done after the step that is about to begin. The engine sends it along with a reduction that is due
/// anyway and obeys what any rank wants.
struct StepWish {
  bool save = false;  ///< write a checkpoint and go on
  bool stop = false;  ///< write a checkpoint and leave
};

struct ScheduleSettings {
  bool periodic = true;                 ///< false: only before leaving
  std::optional<double> seconds = {};   ///< between checkpoints; neither this nor steps: the default below
  std::optional<int> steps = {};        ///< between checkpoints
  std::optional<double> deadline = {};  ///< on the clock: by then the process has left
  double bytes = 0;                     ///< about how much a checkpoint holds, until one has been timed
  std::function<double()> clock = {};   ///< seconds from any origin; the steady clock if empty
};

/// When checkpoints are due, and when a run has to leave to be gone in time. For the rank whose clock counts. It decides
/// when to save, never what is computed.
///
/// Without an interval: every 60 seconds, but not before 50 times what the last checkpoint took has passed, so that
/// checkpoints cost less than 2 % of a run's time.
class CheckpointSchedule {
 public:
  explicit CheckpointSchedule(ScheduleSettings settings);

  /// Before a step. Leaving is due when the step after next might end too late: the rest of this step, one more, a
  /// checkpoint and the way out, all as long as the longest measured lately, with a margin.
  StepWish before_step();
  /// A checkpoint, or the attempt, took this long.
  void saved(double seconds);

 private:
  double interval() const;
  double time_to_leave() const;

  ScheduleSettings settings_;
  double begin_;
  double last_save_;
  double step_begin_ = -1;
  double saving_ = 0;  // seconds of the step at hand that went into a checkpoint
  double step_ = 0;    // longest step lately
  double cost_ = 0;    // longest checkpoint lately
  bool measured_ = false;
  int steps_since_save_ = 0;
};

}  // namespace tempera
