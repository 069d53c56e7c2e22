#include "drivers/commands/status/trial_status.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <map>

#include "core/base/error.hpp"
#include "distributed/checkpoint/journal_file.hpp"
#include "drivers/commands/status/progress_tail.hpp"
#include "drivers/commands/status/trial_trace.hpp"

namespace tempera::drivers {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

namespace {

struct Begun {
  std::int64_t worker = 0;
  double at = 0;
};

/// What the journal of an optimisation says of its last session.
struct LastSession {
  double began = 0;
  std::map<std::int64_t, Begun> trials;
};

LastSession last_session(const fs::path& journal) {
  LastSession session;
  std::error_code error;
  if (!fs::is_regular_file(journal, error)) return session;
  std::optional<std::string> damage;
  for (const ordered_json& event : JournalFile::read_good(journal, damage)) {
    const std::string kind = text_in(event, "event");
    const auto number = integer_in(event, "number");
    if (kind == "session") session = {number_in(event, "at_seconds").value_or(0), {}};
    if (!number || *number < 0) continue;
    if (kind == "start")
      session.trials[*number] = {integer_in(event, "worker").value_or(-1), number_in(event, "at_seconds").value_or(0)};
    if (kind == "result") session.trials.erase(*number);
  }
  return session;
}

}  // namespace

std::vector<TrialStatus> trials_on_their_way(const RunStatus& run, std::optional<RankSpan> ranks, double now) {
  const LastSession session = last_session(run.folder / "journal.jsonl");
  const auto start = utc_seconds(run.part_start);
  std::vector<TrialStatus> trials;
  for (const auto& [number, begun] : session.trials) {
    TrialStatus trial;
    trial.number = number;
    if (start) trial.age = std::max(0.0, now - *start - (begun.at - session.began));
    if (ranks) trial.ranks = ranks_of_worker(run, *ranks, begun.worker);
    std::error_code error;
    const fs::path folder = run.folder / "trials" / fmt::format("{:06}", number);
    if (fs::is_directory(folder, error)) trial.folder = folder;
    if (!trial.folder.empty() && fs::exists(folder / "manifest.json", error)) try {
        trial.own = read_run_status(folder, now);
      } catch (const Error&) {  // it is being made, or removed
      }
    trials.push_back(std::move(trial));
  }
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
