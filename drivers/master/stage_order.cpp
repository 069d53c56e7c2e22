#include "drivers/master/stage_order.hpp"

#include <algorithm>

namespace tempera::drivers {

StageOrder order_for(const StudyGraph& graph, std::size_t instance, const Results& results) {
  StageOrder order;
  order.instance = instance;
  order.options = resolve(graph, instance, results);
  if (!graph.stage_of(instance).objective) return order;
  for (const Dependency& dependency : graph.waits_for[instance]) {
    const auto runs = graph.awaited(dependency);
    if (!dependency.any && runs.size() != 1) continue;  // `needs` alone: no reference can mean several
    const std::size_t other = dependency.any ? selected(graph, dependency.stage, results) : runs.front();
    const auto same = [other](const StageOrder::Known& known) { return known.instance == other; };
    const InstanceResult* const result = results(other);
    if (result == nullptr || std::any_of(order.known.begin(), order.known.end(), same)) continue;
    order.known.push_back({other, result->folder.string(), result->values.dump()});
  }
  return order;
}

KnownResults::KnownResults(const StageOrder& order) {
  for (const StageOrder::Known& known : order.known)
    results_.emplace_back(known.instance, InstanceResult{known.folder, nlohmann::ordered_json::parse(known.values)});
}

Results KnownResults::lookup() const {
  return [this](std::size_t instance) -> const InstanceResult* {
    for (const auto& [number, result] : results_)
      if (number == instance) return &result;
    return nullptr;
  };
}

}  // namespace tempera::drivers
