#include "distributed/bayesopt/ask_tell.hpp"

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/base/random_stream.hpp"

namespace tempera {

namespace {

TrialRequest request_of(const Scheduler& scheduler, std::uint64_t seed, Index number, Index attempt) {
  return {number, attempt, seed_of_trial(seed, number), scheduler.point(number)};
}

}  // namespace

std::vector<TrialRequest> ask_trials(RunRecord& run, Proposer& proposer, std::uint64_t seed, Index count) {
  std::vector<TrialRequest> requests;
  const Scheduler& scheduler = run.scheduler();
  while (std::ssize(requests) < count) {
    if (const auto start = scheduler.next_start(std::ssize(requests))) {
      run.record(*start);
      requests.push_back(request_of(scheduler, seed, start->number, start->attempt));
    } else if (scheduler.can_propose()) {
      run.record(scheduler.propose(proposer));
    } else {
      break;
    }
  }
  run.sync();
  return requests;
}

std::vector<TrialRequest> asked_trials(const Scheduler& scheduler, std::uint64_t seed) {
  std::vector<TrialRequest> requests;
  for (Index number = 0; number < scheduler.proposed(); ++number)
    if (const auto attempt = scheduler.running_attempt(number))
      requests.push_back(request_of(scheduler, seed, number, *attempt));
  return requests;
}

void check_told(const Scheduler& scheduler, Index number) {
  if (!scheduler.running_attempt(number))
    throw Error(Category::input, "",
                number < 0 || number >= scheduler.proposed() ? fmt::format("trial {} was never asked for", number)
                                                             : fmt::format("trial {} has been told already", number),
                "tell each trial that --ask printed once");
}

void tell_result(RunRecord& run, Index number, const TrialResult& result) {
  check_told(run.scheduler(), number);
  run.record(ResultEvent{number, *run.scheduler().running_attempt(number), result});
}

std::uint64_t seed_of_trial(std::uint64_t seed, Index number) {
  return RandomStream(seed, "trial", {number}).next_u64();
}

}  // namespace tempera
