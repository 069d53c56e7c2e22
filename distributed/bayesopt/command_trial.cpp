#include "distributed/bayesopt/command_trial.hpp"

#include <string>

namespace tempera {

namespace {

TrialStatus status_of(CommandEnd::How how) {
  switch (how) {
    case CommandEnd::How::exited: return TrialStatus::ok;
    case CommandEnd::How::failed: return TrialStatus::failed;
    case CommandEnd::How::crashed: return TrialStatus::crashed;
    case CommandEnd::How::timed_out: return TrialStatus::timeout;
    case CommandEnd::How::cancelled: return TrialStatus::cancelled;
    case CommandEnd::How::no_process:
    case CommandEnd::How::unseen: break;
  }
  return TrialStatus::lost;
}

CommandProcess started(const TrialCommand& command, const nlohmann::ordered_json& values,
                       const std::filesystem::path& folder, const CommandProcessOptions& options) {
  return CommandProcess(command.arguments(values), values.dump() + "\n", folder, options);
}

}  // namespace

CommandTrial::CommandTrial(const TrialCommand& command, const Space& space, std::span<const double> point,
                           const std::filesystem::path& folder, const CommandTrialOptions& options)
    : rules_(options.rules), process_(started(command, space.to_json(point), folder, options)) {}

bool CommandTrial::poll() {
  if (!process_.poll()) return false;
  if (!concluded_) result_ = conclude();
  concluded_ = true;
  return true;
}

TrialResult CommandTrial::conclude() const {
  TrialResult result;
  const CommandEnd& end = process_.end();
  if (end.how == CommandEnd::How::exited) {
    if (const auto line = process_.last_output_line()) {
      result = read_result(*line, rules_);
    } else {
      result.status = TrialStatus::invalid;
      result.reason = "the last line of its standard output is too long";
    }
  } else {
    result.status = status_of(end.how);
    result.reason = end.reason;
  }
  result.seconds = end.seconds;
  return result;
}

}  // namespace tempera
