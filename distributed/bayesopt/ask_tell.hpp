#pragma once

#include <vector>

#include "core/bayesopt/proposer.hpp"
#include "distributed/bayesopt/evaluator.hpp"
#include "distributed/bayesopt/run_record.hpp"

namespace tempera {

/// Up to `count` trials for somebody else to run; each is running until it is told. Those to be tried again come first.
/// Fewer where the budget is used up, or results of the batch before are missing. @throws what the proposer does, and Error{environment}
std::vector<TrialRequest> ask_trials(RunRecord& run, Proposer& proposer, std::uint64_t seed, Index count);

/// The same trials again: those that were asked for and not told, in the order of their numbers.
std::vector<TrialRequest> asked_trials(const Scheduler& scheduler, std::uint64_t seed);

/// @throws Error{input} with an empty place if the trial does not run: never asked for, or told before
void check_told(const Scheduler& scheduler, Index number);
/// What came of a trial. @throws as check_told, and Error{environment}
void tell_result(RunRecord& run, Index number, const TrialResult& result);

/// The seed of whatever is random in a trial.
std::uint64_t seed_of_trial(std::uint64_t seed, Index number);

}  // namespace tempera
