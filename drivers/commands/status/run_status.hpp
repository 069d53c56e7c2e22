#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/base/folder_lock.hpp"
#include "distributed/checkpoint/generation_index.hpp"

namespace tempera::drivers {

enum class RunState {
  running,   ///< a process works in the folder
  finished,  ///< exit status 0
  stopped,   ///< exit status 130: it left after a checkpoint
  failed,    ///< another exit status
  died       ///< it has not said how it ended, and its process is gone
};

/// How a run stands, as its folder alone tells.
struct RunStatus {
  std::filesystem::path folder;
  RunState state = RunState::died;
  std::string command;  ///< "decompose"; empty where the manifest cannot be read, like the other facts from it
  std::string input;
  std::filesystem::path part_of;  ///< run folder of the study that it is a part of, if it is
  std::string study_folder;  ///< of a study: the one that its file was in
  std::string start;
  std::string part_start;  ///< of the last part: of the last resume, if there was one
  std::string end;
  std::optional<std::int64_t> exit_status;
  std::optional<std::int64_t> mpi_ranks;  ///< of the last part of the run
  std::size_t resumes = 0;
  std::optional<LockInfo> lock;

  nlohmann::ordered_json step;        ///< last step, plain values only; may be empty
  std::optional<std::int64_t> limit;  ///< of its iterations
  std::string limit_option;           ///< that sets it, "rounds", and its value
  std::optional<std::int64_t> limit_value;
  std::optional<std::int64_t> ranks_per_trial, model_ranks;  ///< options of optimize
  std::optional<std::int64_t> starts;  ///< how many times the command begins anew (--restarts), if more than once
  std::optional<double> seconds_per_iteration;
  std::optional<double> seconds_left;    ///< at most, until the limit of iterations of the last start
  nlohmann::ordered_json result;         ///< numbers of the summary that say how it ended; may be empty
  std::filesystem::path checkpoints;     ///< folder of the generations
  std::vector<GenerationInfo> readable;  ///< newest first
  std::size_t damaged = 0;               ///< generations whose index cannot be read
  std::optional<double> checkpoint_age;  ///< seconds since the newest readable one was written
  bool journal = false;                  ///< the run goes on from its journal and needs no checkpoints
  std::vector<std::string> notes;        ///< what could not be read, for people
};

/// Reads the folder of a run and nothing else. Damaged, partial and absent files leave gaps and notes.
/// @param now  seconds since 1970, UTC
/// @throws Error{input} if there is no such folder or it is no run's
RunStatus read_run_status(const std::filesystem::path& folder, double now);

/// 2026-01-31T12:34:56Z in seconds since 1970, if it is that.
std::optional<double> utc_seconds(const std::string& text);

/// A lock that cannot be looked at from here counts as alive while its sign of life is younger than this.
inline constexpr double kSilenceSeconds = LockSettings{}.stale_seconds;

}  // namespace tempera::drivers
