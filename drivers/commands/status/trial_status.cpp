#include "drivers/commands/status/trial_status.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include "core/base/error.hpp"
#include "drivers/commands/status/progress_tail.hpp"
#include "drivers/commands/status/trial_sessions.hpp"
#include "drivers/commands/status/trial_trace.hpp"

namespace tempera::drivers {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

std::vector<TrialStatus> trials_on_their_way(const RunStatus& run, std::optional<RankSpan> ranks, double now) {
  const auto sessions = trial_sessions(run.folder / "journal.jsonl");
  const auto start = utc_seconds(run.part_start);
  std::vector<TrialStatus> trials;
  if (sessions.empty()) return trials;
  for (const WorkedTrial& begun : sessions.back()) {
    if (std::isfinite(begun.ended)) continue;
    TrialStatus trial;
    trial.number = begun.number;
    if (start) trial.age = std::max(0.0, now - *start - begun.began);
    if (ranks) trial.ranks = ranks_of_worker(run, *ranks, begun.worker);
    std::error_code error;
    const fs::path folder = run.folder / "trials" / fmt::format("{:06}", trial.number);
    if (fs::is_directory(folder, error)) trial.folder = folder;
    if (!trial.folder.empty() && fs::exists(folder / "manifest.json", error)) try {
        trial.own = read_run_status(folder, now);
      } catch (const Error&) {  // it is being made, or removed
      }
    trials.push_back(std::move(trial));
  }
  std::ranges::sort(trials, {}, &TrialStatus::number);
  return trials;
}

ordered_json best_point_so_far(const RunStatus& run) {
  const auto best = number_in(run.step, "best_value");
  std::error_code error;
  if (!best || !fs::is_regular_file(run.folder / "trials.jsonl", error)) return nullptr;
  std::ifstream file(run.folder / "trials.jsonl", std::ios::binary);
  for (std::string line; std::getline(file, line);) {
    const auto trial = ordered_json::parse(line, nullptr, false);
    if (number_in(trial, "value") != best || !trial.contains("point")) continue;
    return plain_values(trial["point"]);
  }
  return nullptr;
}

}  // namespace tempera::drivers
