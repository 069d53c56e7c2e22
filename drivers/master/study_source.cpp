#include "drivers/master/study_source.hpp"

#include <fmt/format.h>

#include <utility>

#include "drivers/master/study_report.hpp"

namespace tempera::drivers {

namespace {

std::vector<bool> stages_referred_to(const StudyGraph& graph) {
  std::vector<bool> result(graph.study.stages.size(), false);
  for (const auto& dependencies : graph.waits_for)
    for (const Dependency& dependency : dependencies)
      if (dependency.any || graph.awaited(dependency).size() == 1) result[dependency.stage] = true;
  return result;
}

}  // namespace

StudySource::StudySource(const StudyContext& context, std::span<const RunSize> sizes, StudyJournal& journal,
                         StudyObserver observer)
    : context_(context),
      sizes_(sizes),
      journal_(journal),
      observer_(std::move(observer)),
      is_referred_to_(stages_referred_to(context.graph)),
      ready_(context.graph, [&](std::size_t instance) { return journal.record()[instance].state; }) {
  for (std::size_t i = 0; i < context.graph.instances.size(); ++i)
    if (journal_.record()[i].state == InstanceState::done) keep_result(i);
}

/// Of a run that nobody refers to only what the report of the study shows: there may be very many.
void StudySource::keep_result(std::size_t instance) {
  InstanceResult result{context_.folder_of(instance), read_summary(context_.folder_of(instance))};
  if (!is_referred_to_[context_.graph.instances[instance].stage]) result.values = values_in_report(result.values);
  results_[instance] = std::move(result);
}

Results StudySource::lookup() const {
  return [this](std::size_t instance) -> const InstanceResult* {
    const auto found = results_.find(instance);
    return found == results_.end() ? nullptr : &found->second;
  };
}

Task StudySource::task_of(std::size_t instance) const {
  Task task;
  task.number = static_cast<Index>(instance);
  task.ranks = sizes_[instance].ranks;
  task.is_child = context_.graph.stage_of(instance).engine == Engine::command;
  task.order = to_blob(order_for(context_.graph, instance, lookup()));
  return task;
}

std::vector<Task> StudySource::ready() {
  std::vector<Task> tasks;
  for (auto decided = ready_.take(); !decided.empty(); decided = ready_.take())  // one that is skipped may skip others
    for (const auto& [i, never, failed] : decided) {
      if (never) {
        const std::string& why = context_.graph.instances[failed].name;
        fail(i, {Category::numerical, context_.graph.stage_of(i).where, fmt::format("needs {}, which failed", why)}, 0,
             true);
        continue;
      }
      try {
        tasks.push_back(task_of(i));
      } catch (const Error& error) {
        fail(i, error, 0, false);
      }
    }
  return tasks;
}

TaskFlow StudySource::flow() {
  if (left_ || (observer_.stop_requested && observer_.stop_requested())) {
    left_ = true;
    return TaskFlow::cancelling;
  }
  if (failure_stops_) return TaskFlow::stopping;
  return ready_.undecided() > 0 ? TaskFlow::open : TaskFlow::finished;
}

void StudySource::begun(Index number, RankSpan ranks, double when) {
  now_ = when;
  const auto instance = static_cast<std::size_t>(number);
  journal_.start(instance, ranks, when);
  if (observer_.started) observer_.started(instance, ranks);
}

void StudySource::ended(Index number, const TaskReport& report, double when) {
  now_ = when;
  const auto instance = static_cast<std::size_t>(number);
  const bool left =
      report.status == TaskStatus::cancelled || (report.status == TaskStatus::done && report.result != "0");
  if (report.status == TaskStatus::failed) return fail(instance, report.error(), report.seconds, false);
  if (left) {
    journal_.end(instance, "left", when, report.seconds);
    left_ = true;
    return;
  }
  try {
    keep_result(instance);
  } catch (const Error& error) {
    return fail(instance, error, report.seconds, false);
  }
  journal_.end(instance, "done", when, report.seconds);
  ready_.ended(instance, true);
  if (observer_.ended) observer_.ended(instance);
}

void StudySource::fail(std::size_t instance, const Error& error, double took, bool skipped) {
  journal_.end(instance, skipped ? "skipped" : "failed", now_, took, &error);
  ready_.ended(instance, false);
  failure_stops_ |= !skipped && context_.graph.stage_of(instance).stop_on_failure;
  if (observer_.ended) observer_.ended(instance);
}

}  // namespace tempera::drivers
