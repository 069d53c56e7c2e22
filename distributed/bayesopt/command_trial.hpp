#pragma once

#include <sys/types.h>

#include <filesystem>
#include <span>

#include "core/bayesopt/space.hpp"
#include "core/bayesopt/trial.hpp"
#include "distributed/bayesopt/command_process.hpp"
#include "distributed/bayesopt/command_trial_arguments.hpp"
#include "distributed/bayesopt/command_trial_result.hpp"

namespace tempera {

struct CommandTrialOptions : CommandProcessOptions {
  ResultRules rules = {};
};

/// A trial as an external command, while it runs (see CommandProcess): in the working directory of this process, with the point
/// as one JSON object on standard input. Its result is the last line of its standard output (read_result). Status: `failed`
/// (exit status other than 0, with the last line of standard error; could not be started), `crashed` (by a signal), `timeout`,
/// `cancelled`, `invalid` (no valid result), `lost` (this machine had no process for it, or its end was not seen), `ok`.
class CommandTrial {
 public:
  /// Starts it. What keeps it from starting is in the result.
  /// @param folder  its own; made if absent
  /// @throws Error{environment} if the folder or its params.json cannot be written, or no file can be opened
  CommandTrial(const TrialCommand& command, const Space& space, std::span<const double> point,
               const std::filesystem::path& folder, const CommandTrialOptions& options = {});

  /// Moves bytes, keeps the deadline. @return whether it has ended  @throws Error{environment} if its files cannot be written
  bool poll();
  /// Asks it to end, as at the deadline. It has ended when poll() says so.
  void cancel() { process_.cancel(); }
  /// @pre poll() has returned true
  const TrialResult& result() const { return result_; }
  /// Leader of the group; 0 if it could not be started or has ended.
  pid_t process() const { return process_.process(); }

 private:
  TrialResult conclude() const;

  ResultRules rules_;
  CommandProcess process_;
  bool concluded_ = false;
  TrialResult result_;
};

}  // namespace tempera
