#include "drivers/master/stage_trials.hpp"

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <utility>

#include "core/base/error.hpp"
#include "distributed/communicator/collectively.hpp"
#include "drivers/master/validation.hpp"

namespace tempera::drivers {

namespace {

using Json = nlohmann::ordered_json;

class StageTrials final : public Evaluator {
 public:
  StageTrials(const StudyContext& context, std::size_t instance, KnownResults known, std::filesystem::path folder)
      : context_(context),
        instance_(instance),
        objective_(*context.graph.stage_of(instance).objective),
        stage_(context.graph.study.stages[*context.graph.study.find(objective_.stage)]),
        space_(context.graph.stage_of(instance).space->space),
        known_(std::move(known)),
        folder_(std::move(folder)) {}

  void join(const Communicator& group) override { group_.emplace(group.split_independent(0, group.rank())); }
  bool is_collective() const override { return true; }
  void begin(const TrialRequest& request) override { request_ = request; }
  void cancel() override { request_.reset(); }

  std::optional<TrialAnswer> poll() override {
    if (!request_) return std::nullopt;
    using Clock = std::chrono::steady_clock;
    const auto start = Clock::now();
    TrialAnswer answer{request_->number, request_->attempt, {}};
    bool left = false;
    try {
      left = !collectively(*group_, [&] { return run(answer.result); });
    } catch (const Error& error) {
      answer.result.status = TrialStatus::failed;
      answer.result.reason =
          error.where().empty() ? error.what_is_wrong() : error.where() + ": " + error.what_is_wrong();
    }
    request_.reset();
    if (left) return std::nullopt;
    answer.result.seconds = std::chrono::duration<double>(Clock::now() - start).count();
    return answer;
  }

 private:
  /// @return false: it was left before its end
  bool run(TrialResult& result) {
    const Json point = space_.to_json(request_->point);
    const auto entries = resolve_trial(context_.graph, instance_, nlohmann::json(point), known_.lookup());
    const auto options = engine_options(stage_, entries, group_->size());
    options->common()->quiet = true;
    const std::filesystem::path folder = folder_ / fmt::format("{:06}", request_->number);
    int status = 0;
    options->at_place(stage_.where, [&] { status = run_engine(context_, *options, folder, *group_); });
    if (status != 0) return false;
    if (!group_->is_root()) return true;
    const double value = metric_of(stage_, {folder, read_summary(folder)}, objective_.metric);
    result.value = objective_.maximise ? -value : value;
    return true;
  }

  const StudyContext& context_;
  std::size_t instance_;
  const StageObjective& objective_;
  const Stage& stage_;
  const Space& space_;
  KnownResults known_;
  std::filesystem::path folder_;
  std::optional<Communicator> group_;  // with an error domain of its own: a trial that fails ends nothing else
  std::optional<TrialRequest> request_;
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
            return std::make_unique<StageTrials>(context, instance, known, folder);
          }};
}

}  // namespace tempera::drivers
