#include "drivers/commands/plan/optimize_plan.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "core/base/random_stream.hpp"
#include "core/bayesopt/blind_proposers.hpp"
#include "core/bayesopt/followed_gp.hpp"
#include "core/bayesopt/gp_fit.hpp"
#include "core/gaussian_process/exact_gp.hpp"
#include "distributed/bayesopt/ask_tell.hpp"
#include "distributed/gaussian_process/sharded_gp_maker.hpp"
#include "drivers/commands/plan/scaling.hpp"

namespace tempera::drivers {

namespace {

using Clock = std::chrono::steady_clock;

constexpr double kMeasuringSeconds = 3;
constexpr Index kFirstTrials = 20;
constexpr int kLeastMeasured = 3;
constexpr double kModelSeconds = 1;
constexpr int kRepeats = 3;
constexpr double kProcess = 3.75e6;  // bytes that a run takes beside its model, measured with Open MPI

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

template <class Work>
double least_seconds(Work work) {
  double least = std::numeric_limits<double>::infinity();
  for (int repeat = 0; repeat < kRepeats; ++repeat) {
    const auto start = Clock::now();
    work();
    least = std::min(least, seconds_since(start));
  }
  return least;
}

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

/// As if the points and values were random: what trials send is as long as the numbers in them.
Traffic traffic_of_trials(const OptimizeProblem& problem, const OptimizeOptions& options) {
  constexpr Index kSample = 256;
  const Index sampled = std::min(options.budget, kSample);
  Traffic traffic;
  for (Trial& trial : made_up_trials(problem, sampled)) {
    trial.result.seconds = RandomStream(0, "plan-seconds", {trial.number}).uniform();
    const auto seed = static_cast<std::uint64_t>(options.common.seed);
    const Index number = trial.number * (options.budget / sampled);  // so that the numbers are as long as in the run
    traffic += trial_traffic({number, 0, seed_of_trial(seed, number), trial.point}, {number, 0, trial.result});
  }
  const auto share = static_cast<double>(options.budget) / static_cast<double>(sampled);
  return {std::llround(static_cast<double>(traffic.messages) * share),
          std::llround(static_cast<double>(traffic.bytes) * share)};
}

}  // namespace

ProposalCosts::ProposalCosts(const OptimizeProblem& problem, const OptimizeOptions& options, Index budget) {
  if (!options.has_model()) return;
  const auto begin = Clock::now();
  const auto proposer = make_proposer(problem, options);
  const std::vector<Trial> trials = made_up_trials(problem, std::min<Index>(budget, 4096));
  const auto propose = [&](Index n, Index number) {
    const auto from = Clock::now();
    proposer->propose(number, std::span(trials).first(static_cast<std::size_t>(n)), {});
    return seconds_since(from);
  };
  for (Index n = std::min<Index>(kFirstTrials, std::ssize(trials)); n <= std::ssize(trials); n *= 2) {
    const double before =
        n > 1 ? propose(n - 1, n - 1) : 0;  // the first one of a proposer has the fits of all trials behind it
    const double fitting = propose(n, n);
    measured_.push_back({n, fitting, propose(n, n + 1)});
    if (std::ssize(measured_) < kLeastMeasured) continue;
    // The next ones take longer, and beyond this number a fit comes when it comes.
    if (2 * n >= FollowedGp::kAlwaysBelow || seconds_since(begin) + 5 * (before + fitting) > kMeasuringSeconds) break;
  }
  if (!knows(budget)) measure_models(problem, trials);
}

void ProposalCosts::measure_models(const OptimizeProblem& problem, const std::vector<Trial>& trials) {
  const Space& space = problem.space();
  const Index most = std::ssize(trials);
  Eigen::MatrixXd points(most, space.features());
  Eigen::VectorXd values(most);
  std::vector<double> features(static_cast<std::size_t>(space.features()));
  for (Index row = 0; row < most; ++row) {
    space.encode(trials[static_cast<std::size_t>(row)].point, features);
    points.row(row) = Eigen::Map<const Eigen::RowVectorXd>(features.data(), space.features());
    values[row] = RandomStream(0, "plan-model-value", {row}).normal();
  }
  const KernelPointer kernel = kernel_of(space, KernelShape::matern52);
  const auto begin = Clock::now();
  for (Index n = measured_.back().trials; n <= most; n *= 2) {
    HyperPosterior posterior(kernel, GpPriors(), points.topRows(n), values.head(n));
    std::vector<double> u(static_cast<std::size_t>(posterior.dimension()), 0), reference(u), likelihood(u);
    const ExactGp process(posterior.model(u), points.topRows(n), values.head(n));
    Eigen::VectorXd mean, variance;
    Eigen::MatrixXd mean_gradients, variance_gradients;
    models_.push_back({n, least_seconds([&] { posterior.evaluate(u, reference, likelihood); }), least_seconds([&] {
                         process.predict_with_gradients(points.topRows(1), mean, variance, mean_gradients,
                                                        variance_gradients);
                       })});
    if (kRepeats * 8 * models_.back().evidence + seconds_since(begin) > kModelSeconds) break;
  }
}

/// How many times as long as at the first of models_: on lines in logarithms, beyond the last with this exponent.
double ProposalCosts::growth(double ModelCost::*unit, double exponent, Index trials) const {
  const auto ratio = [](Index a, Index b) { return std::log(static_cast<double>(a) / static_cast<double>(b)); };
  const auto after =
      std::find_if(models_.begin(), models_.end(), [&](const ModelCost& cost) { return cost.trials >= trials; });
  double log_seconds = 0;
  if (after == models_.end()) {
    log_seconds = std::log(models_.back().*unit) + exponent * ratio(trials, models_.back().trials);
  } else if (after == models_.begin()) {
    return 1;
  } else {
    const ModelCost& low = *(after - 1);
    const double share = ratio(trials, low.trials) / ratio(after->trials, low.trials);
    log_seconds = (1 - share) * std::log(low.*unit) + share * std::log((*after).*unit);
  }
  return std::exp(log_seconds - std::log(models_.front().*unit));
}

/// Within what was measured on lines in logarithms.
double ProposalCosts::carried(double MeasuredProposal::*seconds, double ModelCost::*unit, double exponent,
                              Index trials) const {
  const auto after = std::find_if(measured_.begin(), measured_.end(),
                                  [&](const MeasuredProposal& point) { return point.trials >= trials; });
  if (after == measured_.end()) return measured_.back().*seconds * growth(unit, exponent, trials);
  if (after == measured_.begin()) return (*after).*seconds;
  const MeasuredProposal& low = *(after - 1);
  const double share = std::log(static_cast<double>(trials) / static_cast<double>(low.trials)) /
                       std::log(static_cast<double>(after->trials) / static_cast<double>(low.trials));
  return std::exp((1 - share) * std::log(low.*seconds) + share * std::log((*after).*seconds));
}

double ProposalCosts::operator()(Index trials) const {
  if (measured_.empty()) return 0;
  const Index n = std::max<Index>(trials, 1);
  const double fits =
      n < FollowedGp::kAlwaysBelow ? 1 : std::min(1.0, 1 / ((FollowedGp::kGrowth - 1) * static_cast<double>(n)));
  const double following = carried(&MeasuredProposal::following, &ModelCost::prediction, 2, n);
  const double fitting = carried(&MeasuredProposal::fitting, &ModelCost::evidence, 3, n);
  return following + fits * std::max(0.0, fitting - following);
}

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
    plan.of_trials = traffic_of_trials(problem, options);
  }
  const std::vector<double> lengths =
      trial_seconds ? std::vector<double>{*trial_seconds} : std::vector<double>{1, 60, 3600};
  for (const double seconds : lengths) plan.times.push_back(times_of(options, costs, ranks, seconds));
  return plan;
}

}  // namespace tempera::drivers
