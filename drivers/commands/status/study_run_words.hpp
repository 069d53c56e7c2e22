#pragma once

#include <string>

#include "drivers/commands/status/study_status.hpp"

namespace tempera::drivers {

/// "rank 3", "ranks 1-4", "all ranks" of the study's last session; empty where they are not known.
std::string ranks_words(const StudyStatus& status, const std::optional<RankSpan>& ranks);
/// Where the run of an engine is: "sweep 57 of at most 100; fit 0.8123; 750 ms a sweep". Empty if nothing is known.
std::string run_progress(const StudyRunStatus& run);
/// From where a run that runs, ran or was left would go on: "sweep 50, 12.0 s ago, 1.00 MiB; 2 generations".
std::string run_safety(const StudyRunStatus& run);
/// What a run that is done found; empty if it is not known.
std::string run_result(const StudyRunStatus& run);
/// A run that runs, ran or was left, on several lines: where, since when, how far, from where it would go on, its trials.
std::string run_block(const StudyStatus& status, const StudyRunStatus& run, bool verbose);
/// "rank=3, penalty=0.1"
std::string point_text(const nlohmann::ordered_json& point);

}  // namespace tempera::drivers
