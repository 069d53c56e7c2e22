#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "core/bayesopt/space.hpp"
#include "core/bayesopt/trial.hpp"
#include "distributed/bayesopt/command_trial_arguments.hpp"
#include "distributed/bayesopt/command_trial_output.hpp"
#include "distributed/bayesopt/command_trial_result.hpp"

namespace tempera {

struct CommandTrialOptions {
  double timeout = std::numeric_limits<double>::infinity();  ///< seconds, then SIGTERM to the process group
  double grace = 5;                                          ///< seconds from SIGTERM to SIGKILL
  Index output_cap = 1 << 20;                                ///< bytes kept of each stream
  ResultRules rules = {};
  /// For the child, beside TEMPERA_TRIAL_DIR.
  std::vector<std::pair<std::string, std::string>> environment = {};
};

/// A trial as an external command, while it runs. Nothing waits: whoever owns it calls poll() every few milliseconds, many at
/// once if need be.
///
/// The command runs as a process group of its own in the working directory of this process, with the point as one JSON object
/// on standard input (params.json of the folder) and TEMPERA_TRIAL_DIR naming the folder; what it prints goes to the files
/// stdout and stderr there, capped. Its result is the last line of its standard output (read_result). When its leader has
/// ended all that is left of the group is killed, and whatever carries the same TEMPERA_TRIAL_DIR. Status: `failed` (exit status
/// other than 0, with the last line of standard error; could not be started), `crashed` (by a signal), `timeout`, `cancelled`,
/// `invalid` (no valid result), `lost` (this machine had no process for it, or its end was not seen), `ok`.
class CommandTrial {
 public:
  /// Starts it. What keeps it from starting is in the result.
  /// @param folder  its own; made if absent
  /// @throws Error{environment} if the folder or its params.json cannot be written, or no file can be opened
  CommandTrial(const TrialCommand& command, const Space& space, std::span<const double> point,
               const std::filesystem::path& folder, const CommandTrialOptions& options = {});
  /// Kills what runs.
  ~CommandTrial();
  CommandTrial(const CommandTrial&) = delete;
  CommandTrial& operator=(const CommandTrial&) = delete;

  /// Moves bytes, keeps the deadline. @return whether it has ended  @throws Error{environment} if its files cannot be written
  bool poll();
  /// Asks it to end, as at the deadline. It has ended when poll() says so.
  void cancel();
  /// @pre poll() has returned true
  const TrialResult& result() const { return result_; }
  /// Leader of the group; 0 if it could not be started or has ended.
  pid_t process() const { return leader_; }

 private:
  using Clock = std::chrono::steady_clock;

  void start(const TrialCommand& command, const nlohmann::ordered_json& values);
  void keep_deadline();
  void end(int how);
  void kill_all();
  TrialResult conclude(int how) const;

  std::filesystem::path folder_;
  CommandTrialOptions options_;
  TrialOutput out_;
  TrialOutput err_;
  pid_t leader_ = 0;
  pid_t started_ = 0;
  Clock::time_point start_;
  Clock::time_point kill_at_ = Clock::time_point::max();
  bool cancelled_ = false;
  bool timed_out_ = false;
  TrialResult result_;
};

}  // namespace tempera
