#include "drivers/master/ready_runs.hpp"

#include <algorithm>
#include <utility>

namespace tempera::drivers {

namespace {
constexpr std::size_t kWholeStage = static_cast<std::size_t>(-1);
}

ReadyRuns::ReadyRuns(const StudyGraph& graph, const std::function<InstanceState(std::size_t)>& state)
    : graph_(graph),
      of_run_(graph.instances.size()),
      of_stage_(graph.study.stages.size()),
      open_(graph.instances.size(), 0),
      is_decided_(graph.instances.size(), false) {
  for (std::size_t i = 0; i < graph.instances.size(); ++i) {
    if (state(i) != InstanceState::waiting) {
      is_decided_[i] = true;
      continue;
    }
    ++undecided_;
    for (const Dependency& dependency : graph.waits_for[i]) {
      if (graph.awaited(dependency).empty()) continue;
      needed(dependency).waiting.push_back(i);
      ++open_[i];
    }
    if (open_[i] == 0) decide({i, false, 0});
  }
  for (std::size_t i = 0; i < graph.instances.size(); ++i)
    if (state(i) == InstanceState::done) ended(i, true);
}

ReadyRuns::Needed& ReadyRuns::needed(const Dependency& dependency) {
  const auto [place, is_new] = places_.try_emplace(
      {dependency.stage, dependency.instance.value_or(kWholeStage), dependency.any}, needed_.size());
  if (is_new) {
    (dependency.instance ? of_run_[*dependency.instance] : of_stage_[dependency.stage]).push_back(needed_.size());
    needed_.emplace_back().any = dependency.any;
    needed_.back().runs = graph_.awaited(dependency).size();
  }
  return needed_[place->second];
}

void ReadyRuns::ended(std::size_t instance, bool well) {
  for (const std::size_t place : of_run_[instance]) note(needed_[place], instance, well);
  for (const std::size_t place : of_stage_[graph_.instances[instance].stage]) note(needed_[place], instance, well);
}

void ReadyRuns::note(Needed& needed, std::size_t instance, bool well) {
  ++needed.ended;
  if (!well) {
    needed.culprit = needed.failed == 0 ? instance : std::min(needed.culprit, instance);
    ++needed.failed;
  }
  if (needed.decided) return;
  const bool never = needed.any ? needed.failed == needed.runs : needed.failed > 0;
  if (!never && needed.ended < needed.runs) return;
  needed.decided = true;
  for (const std::size_t waiting : needed.waiting)
    if (never)
      decide({waiting, true, needed.culprit});
    else if (--open_[waiting] == 0)
      decide({waiting, false, 0});
}

void ReadyRuns::decide(const Decided& decided) {
  if (is_decided_[decided.instance]) return;
  is_decided_[decided.instance] = true;
  --undecided_;
  news_.push_back(decided);
}

std::vector<ReadyRuns::Decided> ReadyRuns::take() {
  std::vector<Decided> news = std::exchange(news_, {});
  std::sort(news.begin(), news.end());
  return news;
}

}  // namespace tempera::drivers
