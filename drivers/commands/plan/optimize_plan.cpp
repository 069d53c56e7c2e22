#include "drivers/commands/plan/optimize_plan.hpp"

#include <algorithm>
#include <cmath>

#include "core/bayesopt/gp_fit.hpp"
#include "distributed/gaussian_process/sharded_gp_maker.hpp"
#include "distributed/gaussian_process/sharded_gp_traffic.hpp"
#include "drivers/commands/plan/scaling.hpp"

namespace tempera::drivers {

namespace {

constexpr double kProcess = 3.75e6;  // bytes that a run takes beside its model, measured with Open MPI

/// What ranks of a model get, give and send to each other in a run, apart from what they share.
Traffic traffic_of_model(const OptimizeProblem& problem, const OptimizeOptions& options, const ProposalCosts& costs,
                         const std::vector<PlannedBasis>& bases) {
  const ModelLetters letters(problem.space().size(), problem.constraints());
  Traffic sent;
  double messages = 0, bytes = 0;  // to each other, in the mean
  Index told = 0;
  for (Index n = 0; n < std::ssize(bases); ++n) {
    const PlannedBasis& basis = bases[static_cast<std::size_t>(n)];
    sent += options.model_ranks * letters.request(basis.finished - told, basis.pending);
    told = basis.finished;
    if (n < costs.design()) {
      sent += ModelLetters::answer(costs.from_design());
      continue;
    }
    sent += ModelLetters::answer(costs.from_model());
    const MeasuredProposal& measured = costs.nearest(basis.finished);
    const double fits = ProposalCosts::fits(basis.finished);
    const auto mean = [&](std::int64_t Traffic::*what) {
      return fits * static_cast<double>(measured.sent_fitting.*what) +
             (1 - fits) * static_cast<double>(measured.sent_following.*what);
    };
    messages += mean(&Traffic::messages);
    bytes += mean(&Traffic::bytes);
  }
  return sent + Traffic{std::llround(messages), std::llround(bytes)};
}

/// The run on 1, 2, 4 … ranks and, with as many trials a worker, larger ones.
class Times {
 public:
  Times(const OptimizeOptions& options, const OptimizeProblem& problem, const ProposalCosts& costs)
      : options_(options), problem_(problem), costs_(costs) {}

  OptimizeTimes of(int ranks, double trial_seconds) const {
    OptimizeTimes times;
    times.trial_seconds = trial_seconds;
    times.workers_served = workers_served(trial_seconds, costs_(options_.budget));
    const Index workers = workers_on(ranks);
    for (const int p : ranks_of_table(ranks)) {
      if (!fits(p)) continue;
      std::vector<PlannedBasis> bases;
      OptimizeScalingRow row = row_of(p, options_.budget, trial_seconds, &bases);
      if (p == ranks && options_.model_ranks > 0) times.of_model = traffic_of_model(problem_, options_, costs_, bases);
      if (!times.rows.empty()) row.speedup = times.rows.front().time.seconds / row.time.seconds;
      times.rows.push_back(row);
      const double share = static_cast<double>(row.workers) / static_cast<double>(workers);
      const Index trials = std::max<Index>(1, std::llround(share * static_cast<double>(options_.budget)));
      OptimizeScalingRow larger = row_of(p, trials, trial_seconds, nullptr);
      if (!times.weak.empty()) {
        const OptimizeScalingRow& first = times.weak.front();
        const auto rate = [](const OptimizeScalingRow& of) { return static_cast<double>(of.trials) / of.time.seconds; };
        larger.speedup = rate(larger) / rate(first);
      }
      times.weak.push_back(larger);
    }
    return times;
  }

 private:
  bool fits(int ranks) const {
    const Index least = options_.model_ranks + options_.ranks_per_trial;
    return ranks == 1 ? least == 1 : ranks >= 1 + least;
  }
  Index workers_on(int ranks) const { return RankLayout(ranks, rank_options(options_)).groups() * options_.workers; }
  OptimizeScalingRow row_of(int ranks, Index trials, double trial_seconds, std::vector<PlannedBasis>* bases) const {
    PlannedOptimization plan;
    plan.scheduler = scheduler_options(options_);
    plan.scheduler.budget = trials;
    plan.workers = workers_on(ranks);
    plan.trial_seconds = trial_seconds;
    plan.proposing_seconds = [&](Index known) { return costs_(known); };
    return {ranks, plan.workers, trials, optimization_time(plan, bases)};
  }

  const OptimizeOptions& options_;
  const OptimizeProblem& problem_;
  const ProposalCosts& costs_;
};

}  // namespace

OptimizePlan plan_optimize(const OptimizeOptions& options, const OptimizeProblem& problem, int ranks,
                           std::optional<double> trial_seconds) {
  OptimizePlan plan(RankLayout(ranks, rank_options(options)));
  plan.what = problem.built_in ? std::string(problem.built_in->name()) : options.space.string();
  plan.workers = plan.layout.groups() * options.workers;
  const ProposalCosts costs(problem, options, options.budget);
  plan.measured = costs.measured();
  plan.measured_to_the_end = costs.knows(options.budget);
  if (options.has_model()) {
    for (Index n = kFirstTrials; n < options.budget; n *= 4) plan.shown.push_back({n, costs(n)});
    plan.shown.push_back({options.budget, costs(options.budget)});
    const Index draws = options.hyperparameters == "bayes" ? HyperFitOptions().draws : 1;
    plan.memory = model_memory(options.budget, draws, std::max(1, static_cast<int>(options.model_ranks)));
    plan.memory_alone = model_memory(options.budget, draws, 1);
  }
  plan.growth = kProcess + plan.memory;
  if (!plan.layout.is_alone()) {
    plan.beside_trials = traffic_beside_trials(ranks);
    plan.of_trials = options.budget * trial_traffic(problem.space().size(), problem.constraints());
  }
  const std::vector<double> lengths =
      trial_seconds ? std::vector<double>{*trial_seconds} : std::vector<double>{1, 60, 3600};
  const Times times(options, problem, costs);
  for (const double seconds : lengths) plan.times.push_back(times.of(ranks, seconds));
  const int model = plan.layout.model_ranks();
  if (options.has_model() && model > 1 && options.budget >= ShardedGpMaker::Limits().shared_from) {
    const Index parameters = std::ssize(kernel_of(problem.space(), KernelShape::matern52)->parameters());
    plan.shared = {shared_evidence_traffic(options.budget, parameters, model),
                   scalapack_evidence_bytes(options.budget, model), evidences_of_a_fit(problem)};
  }
  return plan;
}

}  // namespace tempera::drivers
