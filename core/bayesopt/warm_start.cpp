#include "core/bayesopt/warm_start.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include "core/base/error.hpp"

namespace tempera {

namespace {

constexpr double kApart = 0.1;  // √(sum of squared distances of features / number of parameters)

bool is_ok(const Trial& trial) {
  return trial.result.status == TrialStatus::ok;
}

std::vector<std::string> names_of(const Space& space) {
  std::vector<std::string> names;
  for (const Parameter& parameter : space.parameters()) names.push_back("'" + parameter.name + "'");
  return names;
}

/// Names of a that b has not.
std::vector<std::string> missing(const Space& a, const Space& b) {
  const std::vector<std::string> there = names_of(b);
  std::vector<std::string> names = names_of(a);
  std::erase_if(names,
                [&](const std::string& name) { return std::find(there.begin(), there.end(), name) != there.end(); });
  return names;
}

std::string joined(const std::vector<std::string>& names) {
  return fmt::format("{}", fmt::join(names, ", "));
}

std::vector<double> features_of(const Space& space, const Point& point) {
  std::vector<double> features(static_cast<std::size_t>(space.features()));
  space.encode(point, features);
  return features;
}

double squared_distance(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}

/// Points of the trials that succeeded, the best first.
std::vector<Point> best_first(const SourceTrials& source) {
  std::vector<std::pair<double, const Point*>> order;
  for (const Trial& trial : source.trials)
    if (is_ok(trial)) order.emplace_back(trial.result.value, &trial.point);
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Point> points;
  for (const auto& [value, point] : order) points.push_back(*point);
  return points;
}

}  // namespace

SourceTrials adopt_trials(const Space& space, const Space& source, std::span<const Trial> trials, std::string name,
                          bool same_task) {
  SourceTrials adopted{std::move(name), same_task, {}};
  const std::vector<std::string> new_here = missing(space, source), forgotten = missing(source, space);
  if (std::ssize(new_here) == space.size())
    throw Error(Category::input, adopted.name,
                fmt::format("its space shares no parameter with this one: it has {}, this one {}",
                            joined(names_of(source)), joined(names_of(space))),
                "parameters are matched by their names");
  if (std::none_of(trials.begin(), trials.end(), is_ok))
    throw Error(Category::input, adopted.name, "has no trial that succeeded: nothing can be learned from it",
                "leave it out, or wait until it has one");
  std::map<Index, Index> culprits;
  for (const Trial& trial : trials) {
    Index culprit = 0;
    if (std::optional<Point> point = space.adopt(nlohmann::json(source.to_json(trial.point)), culprit)) {
      adopted.trials.push_back({trial.number, std::move(*point), trial.result});
    } else {
      ++adopted.left_out;
      ++culprits[culprit];
    }
  }
  for (const auto& [parameter, count] : culprits)
    adopted.notes.push_back(fmt::format("{} of {} trials left out: their values of '{}' do not exist here", count,
                                        trials.size(), space.parameters()[static_cast<std::size_t>(parameter)].name));
  if (std::none_of(adopted.trials.begin(), adopted.trials.end(), is_ok))
    throw Error(Category::input, adopted.name,
                fmt::format("none of its trials that succeeded lies in this space: {}", joined(adopted.notes)),
                "compare the bounds, choices and types of the two spaces");
  if (!new_here.empty())
    adopted.notes.push_back(
        fmt::format("it does not know {}: the initial value or the middle is taken", joined(new_here)));
  if (!forgotten.empty())
    adopted.notes.push_back(
        fmt::format("its {} {} not known here", joined(forgotten), forgotten.size() == 1 ? "is" : "are"));
  return adopted;
}

std::vector<Point> best_apart(const Space& space, std::span<const SourceTrials> sources, Index count) {
  std::vector<std::vector<Point>> queues;
  for (const SourceTrials& source : sources) queues.push_back(best_first(source));
  std::vector<Point> chosen;
  std::vector<std::vector<double>> features_of_chosen;
  std::vector<std::size_t> next(queues.size(), 0);
  const double apart = kApart * kApart * static_cast<double>(space.size());
  for (bool any = true; any && std::ssize(chosen) < count;) {
    any = false;
    for (std::size_t s = 0; s < queues.size() && std::ssize(chosen) < count; ++s)
      while (next[s] < queues[s].size()) {
        const Point& point = queues[s][next[s]++];
        const std::vector<double> features = features_of(space, point);
        const bool near = std::any_of(features_of_chosen.begin(), features_of_chosen.end(),
                                      [&](const auto& other) { return squared_distance(features, other) < apart; });
        if (near || !space.feasible(point)) continue;
        chosen.push_back(point);
        features_of_chosen.push_back(features);
        any = true;
        break;
      }
  }
  return chosen;
}

}  // namespace tempera
