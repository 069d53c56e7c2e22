#include "drivers/commands/plan/proposal_costs.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "core/base/random_stream.hpp"
#include "core/bayesopt/blind_proposers.hpp"
#include "core/bayesopt/followed_gp.hpp"
#include "core/bayesopt/gp_fit.hpp"
#include "core/gaussian_process/exact_gp.hpp"

namespace tempera::drivers {

namespace {

using Clock = std::chrono::steady_clock;

constexpr double kMeasuringSeconds = 3;
constexpr int kLeastMeasured = 3;
constexpr double kModelSeconds = 1;
constexpr int kRepeats = 3;
constexpr const char* kOfModel = "trials";  // what a proposer says of a point only if a model of so many chose it

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

/// Features of a trial a row.
Eigen::MatrixXd features_of(const Space& space, std::span<const Trial> trials) {
  Eigen::MatrixXd points(std::ssize(trials), space.features());
  std::vector<double> features(static_cast<std::size_t>(space.features()));
  for (Index row = 0; row < points.rows(); ++row) {
    space.encode(trials[static_cast<std::size_t>(row)].point, features);
    points.row(row) = Eigen::Map<const Eigen::RowVectorXd>(features.data(), space.features());
  }
  return points;
}

}  // namespace

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

Index evidences_of_a_fit(const OptimizeProblem& problem) {
  const std::vector<Trial> trials = made_up_trials(problem, kSearchedPoints);
  const Eigen::MatrixXd points = features_of(problem.space(), trials);
  std::vector<double> values;
  for (const Trial& trial : trials) values.push_back(trial.result.value);
  GpFitOptions options;
  options.hyperparameters.method = HyperMethod::map;
  const auto kernels = kernels_of(problem.space(), options.kernels);
  const auto before = static_cast<Index>(static_cast<double>(kSearchedPoints) / FollowedGp::kGrowth);
  const FittedGp fewer =
      fit_gp(kernels, points.topRows(before), std::span(values).first(static_cast<std::size_t>(before)), options, 0);
  ModelTeam alone;
  return fit_gp(kernels, points, values, options, 0, alone, &fewer).hyper.evaluations;
}

ProposalCosts::ProposalCosts(const OptimizeProblem& problem, const OptimizeOptions& options, Index budget) {
  if (!options.has_model()) return;
  const auto team = std::make_shared<PlannedTeam>(std::max(1, static_cast<int>(options.model_ranks)));
  const auto proposer = make_proposer(problem, options, team);
  const std::vector<Trial> trials = made_up_trials(problem, std::min<Index>(budget, 4096));
  measure(trials, *proposer, *team);
  if (!knows(budget)) measure_models(problem, trials);
}

void ProposalCosts::measure(const std::vector<Trial>& trials, Proposer& proposer, PlannedTeam& team) {
  const auto begin = Clock::now();
  struct Taken {
    double seconds;
    Traffic sent;
  };
  const auto propose = [&](Index n, Index number) {
    team.take();
    const auto from = Clock::now();
    from_model_ = proposer.propose(number, std::span(trials).first(static_cast<std::size_t>(n)), {});
    const double seconds = seconds_since(from);
    const PlannedTeam::Work work = team.take();
    return Taken{seconds - work.seconds_saved, work.sent};
  };
  for (; design_ < std::ssize(trials); ++design_) {
    propose(design_, design_);
    if (from_model_.why.contains(kOfModel)) break;
    from_design_ = from_model_;
  }
  for (Index n = std::min<Index>(kFirstTrials, std::ssize(trials)); n <= std::ssize(trials); n *= 2) {
    const double before =
        n > 1 ? propose(n - 1, n - 1).seconds : 0;  // the first one of a proposer has the fits of all trials behind it
    const Taken fitting = propose(n, n), following = propose(n, n + 1);
    measured_.push_back({n, fitting.seconds, following.seconds, fitting.sent, following.sent});
    if (std::ssize(measured_) < kLeastMeasured) continue;
    // The next ones take longer, and beyond this number a fit comes when it comes.
    if (2 * n >= FollowedGp::kAlwaysBelow || seconds_since(begin) + 5 * (before + fitting.seconds) > kMeasuringSeconds)
      break;
  }
}

void ProposalCosts::measure_models(const OptimizeProblem& problem, const std::vector<Trial>& trials) {
  const Space& space = problem.space();
  const Index most = std::ssize(trials);
  const Eigen::MatrixXd points = features_of(space, trials);
  Eigen::VectorXd values(most);
  for (Index row = 0; row < most; ++row) values[row] = RandomStream(0, "plan-model-value", {row}).normal();
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

double ProposalCosts::fits(Index trials) {
  const Index n = std::max<Index>(trials, 1);
  return n < FollowedGp::kAlwaysBelow ? 1 : std::min(1.0, 1 / ((FollowedGp::kGrowth - 1) * static_cast<double>(n)));
}

const MeasuredProposal& ProposalCosts::nearest(Index trials) const {
  auto nearest = measured_.begin();
  while (nearest + 1 != measured_.end() && (nearest + 1)->trials <= trials) ++nearest;
  return *nearest;
}

double ProposalCosts::operator()(Index trials) const {
  if (measured_.empty()) return 0;
  const Index n = std::max<Index>(trials, 1);
  const double following = carried(&MeasuredProposal::following, &ModelCost::prediction, 2, n);
  const double fitting = carried(&MeasuredProposal::fitting, &ModelCost::evidence, 3, n);
  return following + fits(n) * std::max(0.0, fitting - following);
}

}  // namespace tempera::drivers
