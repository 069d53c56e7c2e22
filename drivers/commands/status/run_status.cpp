#include "drivers/commands/status/run_status.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <fstream>
#include <iterator>

#include "core/base/error.hpp"
#include "drivers/commands/status/progress_tail.hpp"

namespace tempera::drivers {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

namespace {

constexpr std::uintmax_t kLargestFile = std::uintmax_t{1} << 26;
constexpr double kLongest = 1e12;  // seconds that are worth to be shown

/// What a step counts, and the option that limits it.
struct StepLimit {
  const char* step;
  const char* option;
  std::int64_t (*steps)(std::int64_t value);
};
constexpr std::array kLimits = {StepLimit{"sweep", "iterations", [](std::int64_t iterations) { return iterations; }},
                                StepLimit{"trial", "budget", [](std::int64_t budget) { return budget; }},
                                StepLimit{"scan", "rounds", [](std::int64_t rounds) {
                                            return (std::int64_t{2} << std::clamp<std::int64_t>(rounds, 0, 60)) - 2;
                                          }}};

bool is_there(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

/// Null if the file is absent, and a note as well if it is there and no JSON.
ordered_json read_json(const fs::path& path, std::vector<std::string>& notes) {
  std::error_code error;
  if (!is_there(path)) return nullptr;
  ordered_json json;
  if (fs::is_regular_file(path, error) && fs::file_size(path, error) <= kLargestFile) {
    std::ifstream file(path, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    json = ordered_json::parse(text, nullptr, false);
  }
  if (json.is_object()) return json;
  notes.push_back(path.filename().string() + " cannot be read");
  return nullptr;
}

void check_folder(const fs::path& folder) {
  constexpr const char* kHint = "name the folder that --output named: the one with manifest.json";
  std::error_code error;
  const auto kind = fs::status(folder, error).type();
  if (kind == fs::file_type::not_found) throw Error(Category::input, folder.string(), "no such folder", kHint);
  if (kind == fs::file_type::none)
    throw Error(Category::input, folder.string(), "cannot be read: " + error.message(), kHint);
  if (kind != fs::file_type::directory) throw Error(Category::input, folder.string(), "is not a folder", kHint);
  const fs::directory_iterator readable(folder, error);
  if (error) throw Error(Category::input, folder.string(), "cannot be read: " + error.message(), kHint);
  for (const char* name : {"manifest.json", "progress.jsonl", "lock", "checkpoint"})
    if (is_there(folder / name)) return;
  throw Error(Category::input, folder.string(), "is not the folder of a run: it has no manifest.json", kHint);
}

ordered_json member(const ordered_json& object, const char* key) {
  return object.is_object() && object.contains(key) ? object[key] : ordered_json();
}

void take_manifest(RunStatus& status, const ordered_json& manifest) {
  status.command = text_in(manifest, "command");
  status.input = text_in(member(manifest, "input"), "path");
  status.study_folder = text_in(manifest, "study_folder");
  status.start = text_in(manifest, "start");
  status.part_start = status.start;
  status.end = text_in(manifest, "end");
  status.exit_status = integer_in(manifest, "exit_status");
  status.mpi_ranks = integer_in(manifest, "mpi_ranks");
  const ordered_json resumes = member(manifest, "resumes");
  if (!resumes.is_array() || resumes.empty()) return;
  status.resumes = resumes.size();
  if (const auto ranks = integer_in(resumes.back(), "mpi_ranks")) status.mpi_ranks = ranks;
  status.part_start = text_in(resumes.back(), "start");
}

bool is_alive(const std::optional<LockInfo>& lock) {
  if (!lock) return false;
  if (lock->state == LockState::unknown) return lock->heartbeat_age < kSilenceSeconds;
  return lock->state == LockState::alive;
}

RunState judge(const RunStatus& status) {
  const bool alive = is_alive(status.lock);
  if (!status.exit_status) return alive ? RunState::running : RunState::died;
  // The manifest may still tell of the part before: a resume takes the lock first.
  if (alive && !status.end.empty() && status.lock->owner.started > status.end) return RunState::running;
  if (*status.exit_status == 0) return RunState::finished;
  return *status.exit_status == exit_status(Category::interrupted) ? RunState::stopped : RunState::failed;
}

void take_progress(RunStatus& status, const ordered_json& options) {
  ProgressTail tail = read_progress_tail(status.folder / "progress.jsonl");
  status.step = std::move(tail.step);
  status.seconds_per_iteration = tail.seconds_per_iteration;
  for (const StepLimit& limit : kLimits)
    if (text_in(status.step, "step") == limit.step) {
      status.limit_value = integer_in(options, limit.option);
      status.limit_option = limit.option;
      if (status.limit_value) status.limit = limit.steps(*status.limit_value);
    }
  if (const auto restarts = integer_in(options, "restarts"); restarts && *restarts > 1) status.starts = restarts;
  const auto iteration = integer_in(status.step, "iteration");
  if (!iteration || !status.limit || !status.seconds_per_iteration) return;
  const auto limit = static_cast<double>(*status.limit);
  const auto later_starts = static_cast<double>(status.starts.value_or(1)) -
                            static_cast<double>(integer_in(status.step, "restart").value_or(0)) - 1;
  const double left = std::max(0.0, limit - static_cast<double>(*iteration)) + std::max(0.0, later_starts) * limit;
  status.seconds_left = std::min(kLongest, left * *status.seconds_per_iteration);
}

void take_checkpoints(RunStatus& status, const std::string& elsewhere, double now) {
  status.checkpoints = status.folder / "checkpoint";
  const fs::path named = status.folder / elsewhere;  // absolute if it is outside the run folder
  if (!elsewhere.empty() && is_there(named)) status.checkpoints = named;
  status.readable = list_generations(status.checkpoints);
  const std::size_t all = generation_numbers(status.checkpoints).size();
  status.damaged = all - std::min(all, status.readable.size());
  if (status.readable.empty()) return;
  if (const auto written = utc_seconds(status.readable.front().written))
    status.checkpoint_age = std::clamp(now - *written, 0.0, kLongest);
}

/// The run folder of the study whose stages the folder is among; empty if there is none.
fs::path study_around(const fs::path& folder) {
  std::error_code error;
  std::vector<std::string> nothing;
  for (fs::path at = fs::absolute(folder, error).lexically_normal(); at != at.parent_path(); at = at.parent_path()) {
    const fs::path study = at.parent_path();
    if (at.filename() == "stages" && text_in(read_json(study / "manifest.json", nothing), "command") == "run")
      return study;
  }
  return {};
}

}  // namespace

RunStatus read_run_status(const fs::path& folder, double now) {
  check_folder(folder);
  RunStatus status;
  status.folder = folder;
  const ordered_json manifest = read_json(folder / "manifest.json", status.notes);
  if (manifest.is_null() && status.notes.empty()) status.notes.emplace_back("there is no manifest.json yet");
  take_manifest(status, manifest);
  status.part_of = study_around(folder);
  status.lock = FolderLock::inspect(folder);
  if (status.lock) status.lock->heartbeat_age = std::min(status.lock->heartbeat_age, kLongest);
  status.state = judge(status);
  const ordered_json options = member(member(manifest, "options"), "values");
  status.ranks_per_trial = integer_in(options, "ranks-per-trial");
  status.model_ranks = integer_in(options, "model-ranks");
  take_progress(status, options);
  take_checkpoints(status, text_in(manifest, "checkpoint_folder"), now);
  status.journal = is_there(folder / "journal.jsonl");
  if (status.state != RunState::finished) return status;
  const ordered_json summary = plain_values(read_json(folder / "summary.json", status.notes));
  for (const char* key : {"fit", "log_evidence", "best_value", "trials", "failed_trials", "stopped", "seconds"})
    if (summary.contains(key)) status.result[key] = summary[key];
  // A criterion may have ended it before its last round.
  if (status.limit && status.limit_option == "rounds" && summary.contains("rounds") && summary["rounds"].is_number())
    status.limit_value = summary["rounds"].get<std::int64_t>();
  return status;
}

std::optional<double> utc_seconds(const std::string& text) {
  std::tm time{};
  const char* end = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%SZ", &time);
  if (end == nullptr || *end != '\0') return std::nullopt;
  return static_cast<double>(::timegm(&time));
}

}  // namespace tempera::drivers
