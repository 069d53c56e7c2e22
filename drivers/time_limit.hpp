#pragma once

#include <optional>
#include <string>

#include "core/base/option_schema.hpp"
#include "distributed/checkpoint/checkpoint_schedule.hpp"
#include "drivers/common_options.hpp"

namespace tempera::drivers {

/// `--checkpoint-every` ("60s", "20it", "never", or "auto" for the default) as settings of the schedule.
/// @throws Error{usage} naming the option or the line of the file it stands in
ScheduleSettings parse_checkpoint_every(const OptionSchema& schema, const CommonOptions& options);

/// Checks `--time-limit` without asking anybody. @throws Error{usage} as above
void check_time_limit(const OptionSchema& schema, const CommonOptions& options);

/// Seconds from now on until the process has to be gone: the limit less `elapsed`, or with "auto" the rest of the batch
/// job's allocation (Slurm). Nothing without a limit. For one process of a job: "auto" may run squeue.
/// @throws Error{usage} if "auto" finds no allocation with an end
std::optional<double> seconds_left(const OptionSchema& schema, const CommonOptions& options, double elapsed);

/// Slurm's time left, as squeue prints it: "1-02:03:04", "02:03:04", "03:04", in seconds; nothing for anything else.
std::optional<double> parse_slurm_time(const std::string& text);

}  // namespace tempera::drivers
