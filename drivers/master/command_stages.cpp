#include "drivers/master/command_stages.hpp"

#include <fmt/format.h>
#include <time.h>

#include <limits>

#include "core/base/atomic_file.hpp"
#include "core/base/error.hpp"
#include "distributed/bayesopt/command_trial_arguments.hpp"
#include "distributed/bayesopt/command_trial_processes.hpp"
#include "distributed/bayesopt/command_trial_result.hpp"
#include "drivers/master/validation.hpp"

namespace tempera::drivers {

namespace {

using Json = nlohmann::ordered_json;

// From SIGTERM to SIGKILL: less than the time that a study keeps for its way out.
constexpr double kGrace = 1;
constexpr timespec kPause{0, 5'000'000};  // between two looks for the end of what was asked to end

TaskReport report_of(TaskStatus status, std::string result = {}) {
  TaskReport report;
  report.status = status;
  report.result = std::move(result);
  return report;
}

}  // namespace

void CommandStages::begin(const std::string& order, RankSpan ranks) {
  const auto what = from_blob<StageOrder>(order);
  instance_ = what.instance;
  const StudyGraph& graph = context_.graph;
  const auto options = engine_options(graph.stage_of(instance_), what.options, ranks.count);
  const CommandOptions& command = options->command();
  const std::filesystem::path folder = std::filesystem::absolute(context_.folder_of(instance_));
  kill_strays(folder);  // of an attempt that a kill of this program ended
  std::error_code nothing;
  std::filesystem::remove(folder / "summary.json", nothing);
  CommandProcessOptions settings;
  settings.timeout = command.timeout.value_or(std::numeric_limits<double>::infinity());
  settings.grace = kGrace;
  settings.directory = graph.study.folder;
  settings.environment = {{"TEMPERA_RANKS", std::to_string(ranks.count)},
                          {"TEMPERA_STAGE", graph.instances[instance_].name},
                          {"TEMPERA_STAGE_SEED", std::to_string(command.seed)},
                          {"TEMPERA_STAGE_DIR", folder.string()}};
  process_ = std::make_unique<CommandProcess>(split_command(command.command), "", folder, settings);
}

std::optional<TaskReport> CommandStages::poll() {
  if (!process_ || !process_->poll()) return std::nullopt;
  const TaskReport report = conclude();
  process_.reset();
  return report;
}

TaskReport CommandStages::conclude() const {
  const CommandEnd& end = process_->end();
  const std::filesystem::path folder = context_.folder_of(instance_);
  if (end.how == CommandEnd::How::cancelled) return report_of(TaskStatus::cancelled);
  if (end.how != CommandEnd::How::exited)
    return TaskReport::failure({Category::numerical, context_.graph.stage_of(instance_).where, "command: " + end.reason,
                                fmt::format("what it printed is in {}", folder.string())});
  Json summary = Json::object();
  if (const auto line = process_->last_output_line(); line && line->starts_with('{')) {
    summary = Json::parse(*line, nullptr, false);
    if (!summary.is_object())
      return TaskReport::failure(
          {Category::numerical, context_.graph.stage_of(instance_).where,
           "command: the last line it printed begins like a JSON object, but is none: " + excerpt(*line),
           "JSON knows no NaN and no infinity; print null there, or another line last"});
  }
  write_file_atomically(folder / "summary.json", summary.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  return report_of(TaskStatus::done, "0");
}

void CommandStages::cancel() {
  if (!process_) return;
  process_->cancel();
  while (!process_->poll()) ::nanosleep(&kPause, nullptr);
  process_.reset();
}

}  // namespace tempera::drivers
