#pragma once

#include "drivers/commands/status/study_status.hpp"

namespace tempera::drivers {

/// Fills in what the runs that run say together: who is busy with what.
void take_ranks(StudyStatus& status);

/// Fills in the time left of runs and of the study, where something tells it: an engine its limit, or runs of the same stage
/// that are done. Of the study only if all that is left is known.
void take_time_left(StudyStatus& status);

}  // namespace tempera::drivers
