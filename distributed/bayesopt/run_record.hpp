#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "core/bayesopt/space.hpp"
#include "distributed/bayesopt/journal.hpp"
#include "distributed/bayesopt/scheduler.hpp"

namespace tempera {

struct OptimizationOptions;

/// A run as one process keeps it: the scheduler, and the journal that it can be made from again.
class RunRecord {
 public:
  /// Reads what the journal of the options holds, or begins it.
  /// @throws Error{input} if it is of another space or configuration, or damaged; Error{environment}
  RunRecord(const Space& space, const OptimizationOptions& options);

  /// First in the journal, then in the scheduler. @throws Error{environment}
  void record(Event event);
  /// Has the journal on the disk. @throws Error{environment}
  void sync();
  /// The same without waiting for it. @throws Error{environment}
  void begin_sync();
  /// Writes the journal anew, after its folder was lost. @throws Error{environment}
  void restore();

  const Scheduler& scheduler() const { return scheduler_; }
  const std::vector<JournalEntry>& entries() const { return entries_; }
  /// Of work, in this session and those before it.
  double seconds() const { return before_ + std::chrono::duration<double>(Clock::now() - start_).count(); }
  double seconds_before() const { return before_; }

 private:
  using Clock = std::chrono::steady_clock;
  void replay(const std::vector<JournalEntry>& entries, const BeginEvent& expected, const OptimizationOptions& options);

  Scheduler scheduler_;
  std::optional<Journal> journal_;
  std::vector<JournalEntry> entries_;
  double before_ = 0;
  Clock::time_point start_;
};

}  // namespace tempera
