#include "drivers/commands/optimize/sources_report.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tempera::drivers {

using Json = nlohmann::ordered_json;

Json sources_json(std::span<const SourceTrials> sources) {
  Json all = Json::array();
  for (const SourceTrials& source : sources)
    all.push_back({{"run", source.name},
                   {"task", source.same_task ? "same" : "other"},
                   {"trials", source.trials.size()},
                   {"left_out", source.left_out},
                   {"notes", source.notes}});
  return all;
}

std::string sources_text(std::span<const SourceTrials> sources) {
  std::string text;
  for (const SourceTrials& source : sources) {
    text += fmt::format("{}{} trials of {}, {}\n", text.empty() ? "learned from  " : "              ",
                        source.trials.size(), source.name, source.same_task ? "the same task" : "another task");
    for (const std::string& note : source.notes) text += "              " + note + "\n";
  }
  return text;
}

std::optional<BetterTrial> better_source(std::span<const SourceTrials> sources, const Trial* mine) {
  std::optional<BetterTrial> least;
  for (const SourceTrials& source : sources)
    for (const Trial& trial : source.trials) {
      const TrialResult& result = trial.result;
      if (!source.same_task || result.status != TrialStatus::ok) continue;
      if (!std::all_of(result.constraints.begin(), result.constraints.end(),
                       [](const auto& constraint) { return constraint.second <= 0; }))
        continue;
      if ((mine == nullptr || result.value < mine->result.value) && (!least || result.value < least->value))
        least = BetterTrial{result.value, fmt::format("trial {} of {}", trial.number, source.name)};
    }
  return least;
}

}  // namespace tempera::drivers
