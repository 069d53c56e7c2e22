#include "drivers/master/stage_trials.hpp"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "core/base/error.hpp"
#include "drivers/master/validation.hpp"

namespace tempera::drivers {

namespace {

using Json = nlohmann::ordered_json;

/// One trial: a run of the stage by a group of ranks.
class StageTrial {
 public:
  StageTrial(const StudyContext& context, std::size_t instance, KnownResults known, std::filesystem::path folder)
      : context_(context),
        instance_(instance),
        objective_(*context.graph.stage_of(instance).objective),
        stage_(context.graph.study.stages[*context.graph.study.find(objective_.stage)]),
        space_(context.graph.stage_of(instance).space->space),
        known_(std::move(known)),
        folder_(std::move(folder)) {}

  std::optional<TrialResult> operator()(const TrialRequest& request, const Communicator& group) const {
    const Json point = space_.to_json(request.point);
    const auto entries = resolve_trial(context_.graph, instance_, nlohmann::json(point), known_.lookup());
    const auto options = engine_options(stage_, entries, group.size());
    options->common()->quiet = true;
    const std::filesystem::path folder = folder_ / fmt::format("{:06}", request.number);
    int status = 0;
    options->at_place(stage_.where, [&] { status = run_engine(context_, *options, folder, group); });
    if (status != 0) return std::nullopt;
    TrialResult result;
    if (!group.is_root()) return result;
    const double value = metric_of(stage_, {folder, read_summary(folder)}, objective_.metric);
    result.value = objective_.maximise ? -value : value;
    return result;
  }

 private:
  const StudyContext& context_;
  std::size_t instance_;
  const StageObjective& objective_;
  const Stage& stage_;
  const Space& space_;
  KnownResults known_;
  std::filesystem::path folder_;
};

/// What makes the trials what they are.
Json description_of(const Stage& stage, const StageObjective& objective) {
  Json options = Json::object();
  for (const OptionEntry& entry : stage.options) options[entry.key] = entry.value;
  return {{"stage", objective.stage},
          {"engine", name(stage.engine)},
          {"metric", objective.metric},
          {"options", std::move(options)}};
}

}  // namespace

OtherTrials stage_trials(const StudyContext& context, std::size_t instance, KnownResults known) {
  const StudyGraph& graph = context.graph;
  const StageObjective& objective = *graph.stage_of(instance).objective;
  return {description_of(graph.study.stages[*graph.study.find(objective.stage)], objective),
          [&context, instance, known = std::move(known)](const std::filesystem::path& folder) {
            return std::make_unique<FunctionEvaluator>(
                FunctionEvaluator::GroupFunction(StageTrial(context, instance, known, folder)));
          }};
}

}  // namespace tempera::drivers
