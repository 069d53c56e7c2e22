#pragma once

#include "drivers/master/stage_run.hpp"

namespace tempera::drivers {

/// Trials that are runs of the stage which an optimize stage's objective names, each by the ranks of its group in a folder of
/// its own. One that was left at a request to stop has no answer; when it is tried again it goes on from its checkpoint.
/// @param context  outlives it
OtherTrials stage_trials(const StudyContext& context, std::size_t instance, KnownResults known);

}  // namespace tempera::drivers
