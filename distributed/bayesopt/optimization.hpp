#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "core/bayesopt/proposer.hpp"
#include "core/bayesopt/space.hpp"
#include "distributed/bayesopt/evaluator.hpp"
#include "distributed/bayesopt/journal.hpp"
#include "distributed/bayesopt/rank_layout.hpp"
#include "distributed/bayesopt/rank_team.hpp"
#include "distributed/bayesopt/scheduler.hpp"
#include "distributed/bayesopt/worker_use.hpp"
#include "distributed/communicator/communicator.hpp"

namespace tempera {

/// The same on all ranks.
struct OptimizationOptions {
  SchedulerOptions scheduler;
  RankLayoutOptions ranks = {};
  /// Of the proposer: the ranks of the model join it while it is used. May be null.
  std::shared_ptr<RankTeam> team = {};
  std::uint64_t seed = 0;  ///< of the trials' own seeds
  /// Where every event is kept; empty: nowhere. A file that is there is gone on with.
  std::filesystem::path journal = {};
  /// What else makes the result what it is: a journal of another configuration is refused.
  nlohmann::ordered_json configuration = nlohmann::ordered_json::object();
  /// What the proposer was told of other runs: a journal begins with them.
  std::vector<SourceTrials> sources = {};
};

/// What the caller hears, on rank 0 unless it says otherwise. All may be empty.
struct OptimizationObserver {
  /// Asked now and then on every rank: whether to leave.
  std::function<bool()> stop_requested;
  /// The journal has been read: what was counted before, `seconds` of working so far.
  std::function<void(const Scheduler& scheduler, double seconds)> resumed;
  /// One more trial counts.
  std::function<void(const Scheduler& scheduler, const Trial& trial)> counted;
  /// Asked about once a second: true if the folder of the journal was lost and made again, so that the journal has to be
  /// written anew.
  std::function<bool(const Scheduler& scheduler)> folder_was_lost;
};

struct OptimizationResult {
  bool stopped = false;  ///< on request, before the end; the same on all ranks
  // On rank 0:
  Scheduler scheduler;
  std::vector<JournalEntry> events;  ///< of all sessions
  WorkerUse use;
  double seconds = 0;  ///< of all sessions
};

/// Minimises over `space`: rank 0 proposes and keeps the journal, groups of the other ranks try (see RankLayout); alone, rank
/// 0 does both. Point to point until the end, so no group waits for another. Every event is in the journal before anybody acts
/// on it: after the death of the process the same call goes on, with the trials that ran tried again.
/// A request to stop ends commands at once; a C++ objective that is being evaluated comes to its end, and counts. Collective.
///
/// @param proposer   used on the ranks of the model, which all propose alike; without them on rank 0 alone, on a thread beside
///                   the one that serves. A function of what it is given (see Proposer)
/// @param evaluator  used on the ranks that work
/// @throws Error on all ranks: {usage} for fewer ranks than are asked for, {input} for a journal of another space or configuration,
///         {environment} if it cannot be
///         written, and what a proposer or an evaluator throws
OptimizationResult optimize(const Communicator& world, const Space& space, Proposer& proposer, Evaluator& evaluator,
                            const OptimizationOptions& options, const OptimizationObserver& observer = {});

}  // namespace tempera
