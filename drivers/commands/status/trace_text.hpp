#pragma once

#include <span>
#include <string>

#include "drivers/commands/status/study_trace.hpp"
#include "drivers/commands/status/trial_trace.hpp"

namespace tempera::drivers {

struct TraceSize {
  int columns = 72;
  int rows = 32;
};

/// A figure of ranks over time, a letter for each run (for each stage, if there are many runs), with its legend:
///
///     rank 0     AAAAAA...CCCCCCCC
///     rank 1     AAAAAABB.CCCCCCCC
///                0 s         1.40 s
///     A search   B fit[repeat=1]   C posterior   . idle
///
/// Of an optimize run whose trials are given, ranks without a trial are a "-". A failure, and the moment when something broke off, is a "!".
/// What most of a cell's time and ranks went to is its letter; cells that were idle for more than half are dots. Of many ranks
/// several share a row. Empty if nothing has begun.
std::string trace_text(const StudyTrace& trace, TraceSize size = {}, std::span<const TrialSpan> trials = {});

}  // namespace tempera::drivers
