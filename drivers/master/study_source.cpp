#include "drivers/master/study_source.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tempera::drivers {

StudySource::StudySource(const StudyContext& context, std::span<const RunSize> sizes, StudyJournal& journal,
                         StudyObserver observer)
    : context_(context),
      sizes_(sizes),
      journal_(journal),
      observer_(std::move(observer)),
      given_(context.graph.instances.size(), false) {
  for (std::size_t i = 0; i < given_.size(); ++i)
    if (journal_.record()[i].state == InstanceState::done)
      results_[i] = {context_.folder_of(i), read_summary(context_.folder_of(i))};
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
  const auto state = [this](std::size_t instance) { return journal_.record()[instance].state; };
  while (std::exchange(look_, false))  // one that is skipped may skip others
    for (std::size_t i = 0; i < given_.size(); ++i) {
      if (given_[i] || state(i) != InstanceState::waiting) continue;
      std::string why;
      const Readiness readiness = drivers::readiness(context_.graph, i, state, &why);
      if (readiness == Readiness::wait) continue;
      given_[i] = true;
      if (readiness == Readiness::never) {
        fail(i, {Category::numerical, context_.graph.stage_of(i).where, fmt::format("needs {}, which failed", why)}, 0, true);
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
  for (std::size_t i = 0; i < given_.size(); ++i)
    if (!given_[i] && journal_.record()[i].state == InstanceState::waiting) return TaskFlow::open;
  return TaskFlow::finished;
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
  look_ = true;
  const bool left = report.status == TaskStatus::cancelled ||
                    (report.status == TaskStatus::done && report.result != "0");
  if (report.status == TaskStatus::failed) return fail(instance, report.error(), report.seconds, false);
  if (left) {
    journal_.end(instance, "left", when, report.seconds);
    left_ = true;
    return;
  }
  try {
    results_[instance] = {context_.folder_of(instance), read_summary(context_.folder_of(instance))};
  } catch (const Error& error) {
    return fail(instance, error, report.seconds, false);
  }
  journal_.end(instance, "done", when, report.seconds);
  if (observer_.ended) observer_.ended(instance);
}

void StudySource::fail(std::size_t instance, const Error& error, double took, bool skipped) {
  look_ = true;
  journal_.end(instance, skipped ? "skipped" : "failed", now_, took, &error);
  failure_stops_ |= !skipped && context_.graph.stage_of(instance).stop_on_failure;
  if (observer_.ended) observer_.ended(instance);
}

}  // namespace tempera::drivers
