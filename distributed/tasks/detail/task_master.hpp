#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <vector>

#include "distributed/communicator/courier.hpp"
#include "distributed/communicator/stop_request.hpp"
#include "distributed/tasks/detail/child_slot.hpp"
#include "distributed/tasks/detail/group_book.hpp"
#include "distributed/tasks/detail/task_groups.hpp"
#include "distributed/tasks/detail/task_letters.hpp"
#include "distributed/tasks/detail/task_queue.hpp"
#include "distributed/tasks/rank_packing.hpp"

namespace tempera::detail {

/// Rank 0 of a job with others: hands out tasks and takes reports.
class TaskMaster {
 public:
  /// @param ranks  of the job, at least 2  @param courier, source, groups, children, signals  outlive this
  TaskMaster(int ranks, Courier& courier, TaskSource& source, TaskGroups& groups, ChildTasks* children,
             const StopRequest* signals);

  /// Until the source says that it is over; the other ranks are told to leave then.
  void run();

 private:
  using Clock = std::chrono::steady_clock;
  struct Running {
    RankSpan ranks;
    bool is_child;
    bool is_cancelled = false;
  };

  void ask_source();
  bool is_over() const;
  void hand_out();
  void run_alone();
  void begin(Task task, RankSpan ranks);
  void send_ahead(int rank);
  void began(Index number, RankSpan ranks, bool is_child);
  void ended(Index number, const TaskReport& report);
  void began_after_all(Index number);
  void stop();
  void pass_on_request();
  void cancel_children();
  void summon(int rank, const Task& task, RankSpan ranks);
  void take_letters();
  void take(const TaskLetter& letter);
  double now() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

  Clock::time_point start_ = Clock::now();
  int ranks_;
  Courier& courier_;
  TaskSource& source_;
  TaskGroups& groups_;
  ChildSlot child_;
  RankPacking packing_;
  GroupBook book_;
  TaskQueue queue_;
  TaskFlow flow_ = TaskFlow::open;
  bool stopped_ = false;
  const StopRequest* signals_;
  bool wished_ = false;     ///< a rank told of a signal
  bool passed_on_ = false;  ///< all know that they are to stop
  std::map<Index, Running> running_;
  std::map<int, Index> ahead_;           ///< by rank: the task that it does next
  std::optional<double> usual_seconds_;  ///< of late
  double last_letter_ = 0;               ///< when it came
};

}  // namespace tempera::detail
