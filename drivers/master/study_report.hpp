#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>

#include "core/base/error.hpp"
#include "distributed/tasks/task.hpp"
#include "drivers/master/links.hpp"
#include "drivers/master/study_record.hpp"

namespace tempera::drivers {

/// What the report of a study is made of; the references must outlive it.
struct StudyFacts {
  const StudyGraph& graph;
  const StudyRecord& record;
  const std::map<std::size_t, InstanceResult>& results;
  int mpi_ranks = 1;
  double seconds = 0;  ///< of working on it, in this process and those before it
};

/// Of the summary of a run what the report of the study shows.
nlohmann::ordered_json values_in_report(const nlohmann::ordered_json& summary);
/// "done", "failed", "skipped", "running" or "waiting".
const char* status_name(const InstanceRecord& record);
/// "rank 3", "ranks 1-4", "all ranks".
std::string ranks_text(RankSpan ranks, int mpi_ranks);
/// What a run found, in a line, from its summary.
std::string result_text(Engine engine, const nlohmann::ordered_json& summary);
/// The failure of a run, not of one that was skipped: "fit: …", and of how many more; nothing if none failed.
std::optional<Error> first_failure(const StudyFacts& facts);
/// Share of the time in which the workers worked: of each session from its first beginning to its last end, each with the
/// workers that it had. What the master does itself beside them does not count. 0 without any span.
double worker_busy_fraction(std::span<const StudySpan> spans);

/// summary.json
nlohmann::ordered_json study_summary(const StudyFacts& facts);
/// The same for people.
std::string study_text(const StudyFacts& facts, const std::string& run_folder);

}  // namespace tempera::drivers
