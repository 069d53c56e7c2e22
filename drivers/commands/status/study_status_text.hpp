#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "drivers/commands/status/study_status.hpp"

namespace tempera::drivers {

/// How a study stands, in words.
/// @param verbose  with all runs and ranks, and the trace
std::string study_status_text(const StudyStatus& status, bool verbose);
/// The same on one line without anything that changes by itself as time goes by.
std::string study_status_line(const StudyStatus& status);
/// What to do next, in words: "'mpirun -n 4 tempera resume RUN' …".
std::string study_next_text(const StudyStatus& status);
/// Everything, with units in the keys: the members of a run's status, and `study`.
nlohmann::ordered_json study_status_json(const StudyStatus& status);

}  // namespace tempera::drivers
