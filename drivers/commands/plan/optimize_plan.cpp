#include "drivers/commands/plan/optimize_plan.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "core/base/random_stream.hpp"
#include "core/bayesopt/blind_proposers.hpp"
#include "distributed/gaussian_process/sharded_gp_maker.hpp"
#include "drivers/commands/plan/scaling.hpp"

namespace tempera::drivers {

namespace {

using Clock = std::chrono::steady_clock;

constexpr double kMeasuringSeconds = 3;
constexpr Index kFirstTrials = 20;
constexpr int kLeastMeasured = 3;
constexpr double kFlattest = 1, kSteepest = 3;  // exponents: of predictions at a point, and of a Cholesky factorisation

/// Random points with the values of the built-in objective, or else with noise.
std::vector<Trial> made_up_trials(const OptimizeProblem& problem, Index count) {
  RandomProposer points(problem.space(), 0);
  std::vector<Trial> trials;
  for (Index n = 0; n < count; ++n) {
    Trial trial;
    trial.number = trial.known = n;
    trial.point = points.propose(n, {}, {}).point;
    trial.result.seconds = 1;
    trial.result.value =
        problem.built_in ? problem.built_in->evaluate(trial.point, 0, n) : RandomStream(0, "plan-value", {n}).normal();
    for (const std::string& name : problem.constraints()) trial.result.constraints[name] = -1;
    trials.push_back(std::move(trial));
  }
  return trials;
}

OptimizeTimes times_of(const OptimizeOptions& options, const ProposalCosts& costs, int ranks, double trial_seconds) {
  OptimizeTimes times;
  times.trial_seconds = trial_seconds;
  times.workers_served = workers_served(trial_seconds, costs(options.budget));
  const int each = static_cast<int>(options.ranks_per_trial), model = static_cast<int>(options.model_ranks);
  for (const int p : ranks_of_table(ranks)) {
    if (p > 1 && p < 1 + model + each) continue;
    if (p == 1 && (model > 0 || each > 1)) continue;
    PlannedOptimization plan;
    plan.scheduler = scheduler_options(options);
    plan.workers = RankLayout(p, rank_options(options)).groups() * options.workers;
    plan.trial_seconds = trial_seconds;
    plan.proposing_seconds = [&](Index trials) { return costs(trials); };
    OptimizeScalingRow row{p, plan.workers, optimization_time(plan)};
    if (!times.rows.empty()) row.speedup = times.rows.front().time.seconds / row.time.seconds;
    times.rows.push_back(row);
  }
  return times;
}

}  // namespace

ProposalCosts::ProposalCosts(const OptimizeProblem& problem, const OptimizeOptions& options, Index budget) {
  if (!options.has_model()) return;
  const auto begin = Clock::now();
  const auto since = [](Clock::time_point from) { return std::chrono::duration<double>(Clock::now() - from).count(); };
  const auto proposer = make_proposer(problem, options);
  const std::vector<Trial> trials = made_up_trials(problem, std::min<Index>(budget, 4096));
  const auto propose = [&](Index n) {
    const auto from = Clock::now();
    proposer->propose(n, std::span(trials).first(static_cast<std::size_t>(n)), {});
    return since(from);
  };
  // The first proposal of a proposer fits anew; most of a run follow the fit before.
  for (Index n = std::min<Index>(kFirstTrials, std::ssize(trials)); n <= std::ssize(trials); n *= 2) {
    const double anew = propose(n - 1);
    measured_.push_back({n, propose(n)});
    if (std::ssize(measured_) < kLeastMeasured) continue;
    if (since(begin) + 5 * (anew + measured_.back().seconds) > kMeasuringSeconds) break;  // the next ones take so long
  }
}

double ProposalCosts::operator()(Index trials) const {
  if (measured_.empty()) return 0;
  const auto after =
      std::find_if(measured_.begin(), measured_.end(), [&](const ProposalCost& cost) { return cost.trials >= trials; });
  if (after == measured_.begin()) return measured_.front().seconds;
  const bool beyond = after == measured_.end();
  if (beyond && measured_.size() == 1) return measured_.front().seconds;
  const ProposalCost& high = beyond ? measured_.back() : *after;
  const ProposalCost& low = beyond ? measured_[measured_.size() - 2] : *(after - 1);
  const double exponent = std::clamp(std::log(high.seconds / low.seconds) /
                                         std::log(static_cast<double>(high.trials) / static_cast<double>(low.trials)),
                                     beyond ? kFlattest : 0.0, kSteepest);
  return high.seconds * std::pow(static_cast<double>(trials) / static_cast<double>(high.trials), exponent);
}

OptimizePlan plan_optimize(const OptimizeOptions& options, const OptimizeProblem& problem, int ranks,
                           std::optional<double> trial_seconds) {
  OptimizePlan plan(RankLayout(ranks, rank_options(options)));
  plan.what = problem.built_in ? std::string(problem.built_in->name()) : options.space.string();
  plan.workers = plan.layout.groups() * options.workers;
  const ProposalCosts costs(problem, options, options.budget);
  plan.costs = costs.measured();
  plan.measured_to_the_end = costs.knows(options.budget);
  if (options.has_model()) {
    for (Index n = kFirstTrials; n < options.budget; n *= 4) plan.shown.push_back({n, costs(n)});
    plan.shown.push_back({options.budget, costs(options.budget)});
    const Index draws = options.hyperparameters == "bayes" ? HyperFitOptions().draws : 1;
    plan.memory = model_memory(options.budget, draws, std::max(1, static_cast<int>(options.model_ranks)));
    plan.memory_alone = model_memory(options.budget, draws, 1);
  }
  const std::vector<double> lengths =
      trial_seconds ? std::vector<double>{*trial_seconds} : std::vector<double>{1, 60, 3600};
  for (const double seconds : lengths) plan.times.push_back(times_of(options, costs, ranks, seconds));
  return plan;
}

}  // namespace tempera::drivers
