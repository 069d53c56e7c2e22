#pragma once

#include <chrono>
#include <memory>
#include <set>
#include <vector>

#include "distributed/bayesopt/detail/proposing.hpp"
#include "distributed/bayesopt/optimization.hpp"
#include "distributed/bayesopt/pacing.hpp"
#include "distributed/bayesopt/run_record.hpp"
#include "distributed/communicator/courier.hpp"

namespace tempera::detail {

/// Rank 0 of an optimisation: proposes, hands out, takes results, keeps the journal.
class Master {
 public:
  /// @param layout  outlives it
  /// @param slots  trials that each rank can have on their way at once; those of rank 0 by the evaluator `local`
  /// @throws Error as RunRecord does
  Master(Courier& courier, const RankLayout& layout, std::vector<Index> slots, const Space& space, Proposer& proposer,
         Evaluator& local, const OptimizationOptions& options, const OptimizationObserver& observer);

  /// Until all is done, or somebody wants to leave; the other ranks leave with it.
  void run();
  OptimizationResult result();

 private:
  using Clock = std::chrono::steady_clock;

  void record(Event event);
  bool take_message(double wait);
  bool take_local();
  void take_answer(const TrialAnswer& answer);
  bool hand_out();
  bool begin_proposal();
  bool take_proposal();
  void wait();
  void look_after_files();
  void leave();

  Courier& courier_;
  const RankLayout& layout_;
  Evaluator& local_;
  const OptimizationOptions& options_;
  const OptimizationObserver& observer_;
  RunRecord record_;
  const Scheduler& scheduler_;
  std::vector<int> rank_of_worker_;
  Pacing pacing_;
  std::set<Index> free_;                 // workers
  std::vector<Index> worker_of_number_;  // that runs it in this session
  int present_ = 0;                      // other ranks that have not left
  Index local_running_ = 0;
  ProposeEvent proposing_;  // the one on its way
  Clock::time_point proposing_from_;
  bool stop_ = false;
  Clock::time_point last_look_ = Clock::now();  // at the folder and the disk
  std::unique_ptr<Proposing> next_;             // last: waited for before anything it uses goes
};

}  // namespace tempera::detail
