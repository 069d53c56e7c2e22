#include "distributed/bayesopt/ask_tell.hpp"

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/base/random_stream.hpp"

namespace tempera {

std::vector<TrialRequest> ask_trials(RunRecord& run, Proposer& proposer, std::uint64_t seed, Index count) {
  std::vector<TrialRequest> requests;
  const Scheduler& scheduler = run.scheduler();
  while (std::ssize(requests) < count) {
    if (const auto start = scheduler.next_start(std::ssize(requests))) {
      run.record(*start);
      requests.push_back(
          {start->number, start->attempt, seed_of_trial(seed, start->number), scheduler.point(start->number)});
    } else if (scheduler.can_propose()) {
      run.record(scheduler.propose(proposer));
    } else {
      break;
    }
  }
  run.sync();
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
