#include "core/bayesopt/gp_proposer.hpp"

#include <algorithm>
#include <cmath>
#include <deque>
#include <numeric>
#include <utility>

#include "core/base/random_stream.hpp"

namespace tempera {

namespace {

constexpr Index kLeastToModel = 2;
constexpr Index kSpreadBlock = 1024;

/// As it would again: what the machine did to a trial says nothing of its point.
bool failed(TrialStatus status) {
  return status == TrialStatus::failed || status == TrialStatus::crashed || status == TrialStatus::timeout ||
         status == TrialStatus::invalid;
}

/// Of the points that a design has, so many come from other tasks' runs; of one without such runs, so many are left.
constexpr Index kShareOfSources = 2, kShareWithSources = 2;
/// Of log length scales where sources help: values are to follow a source nearly linearly, and what the sources leave is smooth.
constexpr double kScaleSdWithSources = 0.7;

std::vector<SourceTrials> sources_of(const std::vector<SourceTrials>& all, bool same_task) {
  std::vector<SourceTrials> some;
  for (const SourceTrials& source : all)
    if (source.same_task == same_task) some.push_back(source);
  return some;
}

Index size_of_design(const Space& space, Index wanted, bool with_sources) {
  if (wanted > 0) return wanted;
  return std::max<Index>(4, 2 * space.size() / (with_sources ? kShareWithSources : 1));
}

}  // namespace

void GpProposer::Data::add(const Point& point, double value) {
  points.push_back(point);
  values.push_back(value);
}

GpProposer::GpProposer(const Space& space, GpProposerOptions options)
    : space_(space),
      options_(std::move(options)),
      same_(sources_of(options_.sources, true)),
      other_(sources_of(options_.sources, false)),
      initial_(size_of_design(space, options_.initial, !other_.empty())),
      first_(best_apart(space, other_, initial_ / kShareOfSources)),
      design_(space, initial_ - std::ssize(first_), options_.seed),
      failures_(space, options_.model.kernels.front(), options_.seed) {
  if (!options_.team) options_.team = std::make_shared<ModelTeam>();
  double& scale_sd = options_.model.priors.length_scale.sd;
  if (!other_.empty()) scale_sd = std::min(scale_sd, kScaleSdWithSources);
  for (const SourceTrials& source : same_)
    tried_before_ += std::count_if(source.trials.begin(), source.trials.end(),
                                   [](const Trial& trial) { return trial.result.status == TrialStatus::ok; });
}

void GpProposer::add(const Trial& trial, History& history) const {
  const auto& [number, point, result, known] = trial;
  const bool ok = result.status == TrialStatus::ok;
  if (ok || failed(result.status)) history.failing.add(point, ok ? -1 : 1);
  history.any_failed |= failed(result.status);
  if (!ok) {
    history.other.push_back(point);
    return;
  }
  bool holds = true;
  for (std::size_t c = 0; c < history.constraints.size(); ++c) {
    const double value = result.constraints.at(options_.constraints[c]);
    history.constraints[c].add(point, value);
    holds &= value <= 0;
  }
  history.objective.add(point, result.value);
  history.holds.push_back(holds);
  history.any_feasible |= holds;
  const double cost = std::isfinite(result.cost) ? result.cost : result.seconds;
  if (cost > 0) history.log_cost.add(point, std::log(cost));
}

GpProposer::History GpProposer::sort(std::span<const Trial> finished) const {
  History history;
  history.constraints.resize(options_.constraints.size());
  for (const SourceTrials& source : same_)
    for (const Trial& trial : source.trials) add(trial, history);
  for (const Trial& trial : finished) add(trial, history);
  std::vector<std::size_t> order(history.holds.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::pair(!history.holds[a], history.objective.values[a]) <
           std::pair(!history.holds[b], history.objective.values[b]);
  });
  for (const std::size_t k : order) history.best_first.push_back(history.objective.points[k]);
  return history;
}

Eigen::MatrixXd GpProposer::features_of(std::span<const Point> points, const Transfer* transfer) const {
  Eigen::MatrixXd columns(space_.features(), std::ssize(points));
  const auto size = static_cast<std::size_t>(columns.rows());
  for (std::size_t k = 0; k < points.size(); ++k)
    space_.encode(points[k], {columns.col(static_cast<Eigen::Index>(k)).data(), size});
  columns.transposeInPlace();
  return transfer != nullptr ? transfer->widened(columns) : columns;
}

const Transfer* GpProposer::transfer() {
  if (other_.empty()) return nullptr;
  if (!transfer_) transfer_.emplace(space_, other_, options_.model, options_.seed);
  return &*transfer_;
}

FollowedGp& GpProposer::followed(const std::string& name, const Data& data, const GpFitOptions& options,
                                 const Transfer* transfer) {
  auto model = models_.find(name);
  if (model == models_.end()) {
    const std::uint64_t seed = RandomStream(options_.seed, RandomPurpose::named("gp-fit-" + name)).next_u64();
    model = models_
                .try_emplace(
                    name, transfer != nullptr ? std::vector{transfer->kernel()} : kernels_of(space_, options.kernels),
                    options, seed)
                .first;
  }
  model->second.follow(features_of(data.points, transfer), data.values, *options_.team);
  return model->second;
}

GpSurrogate GpProposer::objective_model(const History& history) {
  const FollowedGp& followed = this->followed("objective", history.objective, options_.model, transfer());
  GpSurrogate model(std::vector<GpSurrogate::Process>(followed.processes().begin(), followed.processes().end()));
  model.restrict_best(history.holds);
  return model;
}

PendingSurrogate GpProposer::with_pending(const Surrogate& model, const GpSurrogate& processes,
                                          std::span<const Point> waiting, Index number) const {
  PendingOptions options;
  options.fantasies = std::max<Index>(1, (options_.fantasies + model.draws() - 1) / model.draws());
  for (Index s = 0; s < model.draws(); ++s) options.noise_variance.push_back(processes.process(s).model().noise);
  options.seed = options_.seed;
  options.number = number;
  return PendingSurrogate(model, features_of(waiting).transpose(), options);
}

/// By the most probable hyperparameters, without a warp.
GpSurrogate GpProposer::plain_model(const std::string& name, const Data& data) {
  GpFitOptions options = options_.model;
  if (options.hyperparameters.method == HyperMethod::bayes) options.hyperparameters.method = HyperMethod::map;
  options.warp = false;
  const FollowedGp& model = followed(name, data, options);
  return GpSurrogate(std::vector<GpSurrogate::Process>(model.processes().begin(), model.processes().end()));
}

Proposal GpProposer::begin(Index number, const History& history, std::span<const Point> waiting) const {
  std::vector<Point> known = history.objective.points;
  known.insert(known.end(), history.other.begin(), history.other.end());
  known.insert(known.end(), waiting.begin(), waiting.end());
  const auto is_known = [&](const Point& point) {
    return std::any_of(known.begin(), known.end(), [&](const Point& other) { return space_.same(point, other); });
  };
  const auto of_sources = std::ssize(first_);
  if (number < of_sources && !is_known(first_[static_cast<std::size_t>(number)]))
    return {first_[static_cast<std::size_t>(number)], {{"rule", "best-of-source"}}};
  auto point = design_.next(number < of_sources ? initial_ + number : number - of_sources, known);
  if (!point) return {};
  return {std::move(*point), {{"rule", "initial-design"}}};
}

Proposal GpProposer::propose(Index number, std::span<const Trial> finished, std::span<const PendingTrial> pending) {
  const History history = sort(finished);
  std::vector<Point> waiting;
  for (const PendingTrial& trial : pending) waiting.push_back(trial.point);
  if (number + tried_before_ < initial_ || std::ssize(history.objective.values) < kLeastToModel)
    return begin(number, history, waiting);

  nlohmann::ordered_json why = {{"rule", history.any_feasible ? options_.acquisition.text() : "feasibility"}};
  std::optional<GpSurrogate> objective;
  std::optional<TransferSurrogate> transferred;
  std::optional<PendingSurrogate> expected;
  std::optional<ModelAcquisition> acquisition;
  if (history.any_feasible) {
    objective = objective_model(history);
    const Surrogate* model = &*objective;
    if (transfer_) model = &transferred.emplace(*objective, *transfer_);
    if (!waiting.empty() && options_.acquisition.kind != AcquisitionKind::thompson)  // that is random enough
      model = &expected.emplace(with_pending(*model, *objective, waiting, number));
    acquisition.emplace(options_.acquisition, *model, RandomStream(options_.seed, "thompson", {number}));
    why["trials"] = history.objective.values.size();
    why["fitted"] = models_.at("objective").fitted();
    why["draws"] = objective->draws();
    why["kernel"] = kernel_name(options_.model.kernels[models_.at("objective").fit().kernel]);
    why["warp"] = models_.at("objective").fit().warp.logarithmic() ? "log" : "linear";
  } else {
    acquisition.emplace(space_.features());
  }
  std::deque<GpSurrogate> others;  // keeps addresses
  for (std::size_t c = 0; c < options_.constraints.size(); ++c) {
    const std::string name = "constraint " + options_.constraints[c];
    others.push_back(plain_model(name, history.constraints[c]));
    acquisition->require_below(others.back(), models_.at(name).fit().warp(0));
  }
  std::optional<FailureSurrogate> failing;
  if (history.any_failed) {
    failing = failures_.follow(features_of(history.failing.points), history.failing.values);
    acquisition->avoid_failing(*failing);
  }
  if (options_.per_cost && std::ssize(history.log_cost.values) >= kLeastToModel) {
    others.push_back(plain_model("cost", history.log_cost));
    acquisition->divide_by_cost(others.back(), models_.at("cost").fit().warp.scale());
  }
  std::vector<Point> avoided = history.other;
  avoided.insert(avoided.end(), waiting.begin(), waiting.end());
  const bool spread =
      std::any_of(models_.begin(), models_.end(), [](const auto& model) { return model.second.spread(); });
  SearchOptions search = options_.search;
  if (spread) {  // each block is a call of all
    search.together = std::max<Index>(search.starts, 1);
    search.block = kSpreadBlock;
  }
  auto found = maximize_acquisition(space_, *acquisition, history.best_first, avoided, options_.seed, number, search,
                                    options_.team->dealer(spread));
  if (!found) return {};
  why["acquisition"] =
      std::isfinite(found->value) ? nlohmann::ordered_json(found->value) : nlohmann::ordered_json(nullptr);
  return {std::move(found->point), std::move(why)};
}

}  // namespace tempera
