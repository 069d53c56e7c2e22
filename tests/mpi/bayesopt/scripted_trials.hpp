#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "core/base/random_stream.hpp"
#include "distributed/bayesopt/simulation.hpp"

namespace tempera::test {

/// Points that tell what was known when they were chosen: any change of what a proposal may know changes the point.
class DigestProposer : public Proposer {
 public:
  Proposal propose(Index number, std::span<const Trial> finished, std::span<const PendingTrial> pending) override {
    RandomPurpose purpose = RandomPurpose::named(digest(finished, pending));
    RandomStream random(7, purpose, {number});
    ++proposals;
    return {{random.uniform(), random.uniform()}, {{"rule", "digest"}, {"known", finished.size()}}};
  }
  static std::string digest(std::span<const Trial> finished, std::span<const PendingTrial> pending) {
    std::string text;
    for (const Trial& trial : finished)
      text += std::to_string(trial.number) + ":" + std::to_string(trial.result.value) + ";";
    for (const PendingTrial& trial : pending)
      text += std::to_string(trial.number) + "?" + std::to_string(trial.point[0]);
    return text;
  }
  Index proposals = 0;
};

/// A value that depends on the point; some trials fail in one of the ways that there are.
inline TrialResult scripted_result(const Point& point, Index number, Index attempt, double failing = 0) {
  RandomStream random(3, "scripted-result", {number, attempt});
  TrialResult result;
  if (random.uniform() < failing) {
    result.status = static_cast<TrialStatus>(1 + random.uniform_index(6));
    result.reason = "so it is written";
  } else {
    result.value = std::pow(point[0] - 0.3, 2) + std::pow(point[1] - 0.6, 2);
  }
  return result;
}

inline SimulatedWorkers scripted_workers(Index workers, double proposing_seconds, double failing, std::uint64_t seed) {
  SimulatedWorkers simulated;
  simulated.workers = workers;
  simulated.proposing_seconds = proposing_seconds;
  simulated.seconds = [seed](Index number, Index attempt) {
    return 10 * std::exp(0.7 * RandomStream(seed, "scripted-seconds", {number, attempt}).normal());
  };
  simulated.evaluate = [failing](const Point& point, Index number, Index attempt) {
    return scripted_result(point, number, attempt, failing);
  };
  return simulated;
}

/// All that a scheduler knows, as text.
inline std::string state_of(const Scheduler& scheduler) {
  std::string text = std::to_string(scheduler.proposed()) + " " + std::to_string(scheduler.waiting()) + " " +
                     std::to_string(scheduler.running()) + " " + std::to_string(scheduler.failures()) + " " +
                     std::to_string(scheduler.best()) + "\n";
  for (Index number = 0; number < scheduler.proposed(); ++number)
    text += to_json(ProposeEvent{number, scheduler.point(number), scheduler.why(number), 0, {}, 0}).dump() + " " +
            std::to_string(scheduler.retries(number)) + "\n";
  for (const Trial& trial : scheduler.finished())
    text += to_json(ResultEvent{trial.number, 0, trial.result}).dump() + "\n";
  if (const auto next = scheduler.next_start(0)) text += to_json(*next).dump();
  return text;
}

}  // namespace tempera::test
