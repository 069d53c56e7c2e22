#pragma once

#include <span>

#include "distributed/bayesopt/journal.hpp"

namespace tempera {

/// How busy the workers of a run were, over all its sessions.
struct WorkerUse {
  double busy_fraction = 0;  ///< of the time until the last trial was handed out: afterwards nothing is left to be done
  double busy_fraction_to_end = 0;   ///< of the whole time
  double median_answer_seconds = 0;  ///< from a result to that worker's next trial
  double mean_answer_seconds = 0;    ///< of the same
  double late_answer_seconds = 0;    ///< that 99 % of them do not exceed
  double proposing_seconds = 0;      ///< sum over the proposals
};

/// A worker is busy from the start of a trial for as long as its result says that it took.
WorkerUse worker_use(std::span<const JournalEntry> entries);

}  // namespace tempera
