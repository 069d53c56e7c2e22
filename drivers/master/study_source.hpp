#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "distributed/tasks/task_source.hpp"
#include "drivers/master/ready_runs.hpp"
#include "drivers/master/stage_run.hpp"
#include "drivers/master/study_record.hpp"
#include "drivers/master/validation.hpp"

namespace tempera::drivers {

/// What is told of a study while it runs; all may be empty.
struct StudyObserver {
  std::function<bool()> stop_requested;
  std::function<void(std::size_t instance, RankSpan ranks)> started;
  std::function<void(std::size_t instance)> ended;  ///< the record says how
};

/// The master's side of a study on rank 0: gives what is ready to the groups of ranks, keeps the journal, decides what a failure
/// means for the rest.
class StudySource final : public TaskSource {
 public:
  /// The references outlive it. Results of runs that ended well before are read from their folders.
  /// @throws Error{input} for one that is not there
  StudySource(const StudyContext& context, std::span<const RunSize> sizes, StudyJournal& journal,
              StudyObserver observer);

  std::vector<Task> ready() override;
  TaskFlow flow() override;
  void begun(Index number, RankSpan ranks, double when) override;
  void ended(Index number, const TaskReport& report, double when) override;

  /// It was left before its end, at a request to stop.
  bool left() const { return left_; }
  const std::map<std::size_t, InstanceResult>& results() const { return results_; }

 private:
  Results lookup() const;
  void keep_result(std::size_t instance);
  void fail(std::size_t instance, const Error& error, double took, bool skipped);
  Task task_of(std::size_t instance) const;

  const StudyContext& context_;
  std::span<const RunSize> sizes_;
  StudyJournal& journal_;
  StudyObserver observer_;
  std::map<std::size_t, InstanceResult> results_;
  std::vector<bool> is_referred_to_;  // by stage: others use what its runs leave
  ReadyRuns ready_;
  bool left_ = false;
  bool failure_stops_ = false;
  double now_ = 0;
};

}  // namespace tempera::drivers
