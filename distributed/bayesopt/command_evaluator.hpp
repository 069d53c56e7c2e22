#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "distributed/bayesopt/command_trial.hpp"
#include "distributed/bayesopt/evaluator.hpp"

namespace tempera {

/// Trials as external commands, several at once, each started by the first rank of a group. Each has the folder FOLDER/NUMBER,
/// and beside TEMPERA_TRIAL_DIR the variables TEMPERA_TRIAL_NUMBER, TEMPERA_TRIAL_ATTEMPT, TEMPERA_TRIAL_SEED, and of the ranks
/// whose place it may use: how many (TEMPERA_RANKS), and the host of each, separated by commas (TEMPERA_NODES).
class CommandEvaluator : public Evaluator {
 public:
  /// Ends what processes of an earlier run in the same folder have left behind on this machine.
  /// @param command, space  outlive it
  CommandEvaluator(const TrialCommand& command, const Space& space, std::filesystem::path folder, Index slots,
                   CommandTrialOptions options);

  void join(const Communicator& group) override;
  Index slots() const override { return slots_; }
  void begin(const TrialRequest& request) override;
  std::optional<TrialAnswer> poll() override;
  /// Asks them to end and waits for that a little; then kills them.
  void cancel() override;

  /// FOLDER/000012
  static std::filesystem::path folder_of(const std::filesystem::path& folder, Index number);

 private:
  struct Running {
    Index number;
    Index attempt;
    std::unique_ptr<CommandTrial> trial;
  };

  const TrialCommand& command_;
  const Space& space_;
  std::filesystem::path folder_;
  Index slots_;
  CommandTrialOptions options_;
  std::vector<Running> running_;
};

}  // namespace tempera
