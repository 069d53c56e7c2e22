#pragma once

#include <vector>

#include "drivers/commands/status/run_status.hpp"
#include "drivers/commands/status/study_trace.hpp"

namespace tempera::drivers {

/// A trial within the span of an optimize run. In seconds of the study.
struct TrialSpan {
  std::size_t span = 0;  ///< of the trace
  RankSpan ranks;        ///< of the job
  double began = 0, ended = 0;
};

/// The trials of an optimize run, from its own journal: the sessions in it are the last spans that the run has in the trace, each
/// counted from its own beginning.
/// @param instance  number of the run in the trace
/// @param run       its folder, read before
std::vector<TrialSpan> trial_spans(const StudyTrace& trace, std::size_t instance, const RunStatus& run);

/// Ranks that a worker of an optimize run has, if the run has `ranks`; nothing for one that it cannot have.
std::optional<RankSpan> ranks_of_worker(const RunStatus& run, RankSpan ranks, std::int64_t worker);

}  // namespace tempera::drivers
