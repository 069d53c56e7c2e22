#pragma once

#include <memory>
#include <optional>

#include "distributed/bayesopt/command_process.hpp"
#include "distributed/tasks/child_tasks.hpp"
#include "drivers/master/stage_run.hpp"

namespace tempera::drivers {

/// Stages that are commands, as child processes of this rank. A command starts in the folder of the study file; its run folder
/// gets what it prints (stdout, stderr) and summary.json: the JSON object in the last line of its standard output, if it is
/// one. In its environment: TEMPERA_RANKS, how many ranks the stage has; TEMPERA_STAGE, TEMPERA_STAGE_SEED and TEMPERA_STAGE_DIR,
/// its run folder.
class CommandStages final : public ChildTasks {
 public:
  /// @param context  outlives it
  explicit CommandStages(const StudyContext& context) : context_(context) {}

  void begin(const std::string& order, RankSpan ranks) override;
  std::optional<TaskReport> poll() override;
  void cancel() override;

 private:
  TaskReport conclude() const;

  const StudyContext& context_;
  std::size_t instance_ = 0;
  std::unique_ptr<CommandProcess> process_;
};

}  // namespace tempera::drivers
