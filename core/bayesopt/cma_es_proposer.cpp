#include "core/bayesopt/cma_es_proposer.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/bayesopt/candidates.hpp"
#include "core/bayesopt/feasible.hpp"
#include "core/minimization/cma_margin.hpp"

namespace tempera {

namespace {

constexpr double kFirstSigma = 0.3;    // Hansen 2016, B.1, for ranges of 1
constexpr double kLeastReach = 1e-11;  // positions have 12 digits
constexpr double kLeastRange = 1e-12;  // of values, in units of the first generation's
constexpr Index kAttempts = 1000, kNewAttempts = 100;
constexpr Index kMostDoublings = 16;
constexpr double kNothing = std::numeric_limits<double>::infinity();

bool equal(const Point& a, const Point& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](double x, double y) { return x == y || (std::isnan(x) && std::isnan(y)); });
}

/// Of an even number the lower one of the two: no arithmetic with values.
double median_of(std::vector<double> values) {
  const auto middle = values.begin() + (std::ssize(values) - 1) / 2;
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

double value_of(const Trial& trial) {
  return trial.result.status == TrialStatus::ok ? trial.result.value : kNothing;
}

}  // namespace

CmaEsProposer::CmaEsProposer(const Space& space, CmaEsOptions options)
    : space_(space), coordinates_(space), options_(options) {
  if (options_.population == 0) options_.population = CmaConstants::default_population(space.size());
  only_cells_ = true;
  for (Index i = 0; i < space.size(); ++i) only_cells_ = only_cells_ && coordinates_.is_discrete(i);
  begin_run();
}

void CmaEsProposer::forget() {
  seen_.clear();
  generations_.clear();
  runs_ = 0;
  begin_run();
}

void CmaEsProposer::begin_run() {
  Eigen::VectorXd mean = Eigen::VectorXd::Constant(space_.size(), 0.5);
  if (runs_ > 0) {
    RandomStream stream(options_.seed, "cma-es-run", {runs_});
    mean = coordinates_.coordinates(sample_feasible(space_, stream));
  } else if (const auto initial = space_.initial_point()) {
    mean = coordinates_.coordinates(*initial);
  }
  run_.emplace(mean, kFirstSigma, options_.population << std::min(runs_, kMostDoublings));
  best_.clear();
  median_.clear();
  keep_margins();
  generations_.push_back({runs_, std::ssize(seen_), run_->distribution()});
}

CmaEsProposer::Rank CmaEsProposer::rank_of(const Trial& trial) {
  if (trial.result.status != TrialStatus::ok) return {2, 0, trial.number};
  double excess = 0;
  for (const auto& [name, value] : trial.result.constraints)
    excess += std::isnan(value) ? kNothing : std::max(0.0, value);
  return excess > 0 ? Rank{1, excess, trial.number} : Rank{0, trial.result.value, trial.number};
}

bool CmaEsProposer::goes_on_from(std::span<const Trial> finished) const {
  if (finished.size() < seen_.size()) return false;
  return std::equal(seen_.begin(), seen_.end(), finished.begin(), [](const Seen& seen, const Trial& trial) {
    return seen.number == trial.number && seen.status == trial.result.status &&
           (seen.status != TrialStatus::ok || seen.value == trial.result.value);
  });
}

const CmaEsProposer::Generation& CmaEsProposer::generation_of(Index known) const {
  const auto after = std::upper_bound(generations_.begin(), generations_.end(), known,
                                      [](Index count, const Generation& g) { return count < g.results; });
  return after == generations_.begin() ? generations_.front() : *std::prev(after);
}

void CmaEsProposer::learn(std::span<const Trial> finished) {
  if (!goes_on_from(finished)) forget();
  std::vector<const Trial*> trials;
  for (std::size_t next = seen_.size(); next < finished.size(); ++next) {
    // What a run before this one asked for says little here.
    if (generation_of(finished[next].known).run == generations_.back().run) trials.push_back(&finished[next]);
    if (std::ssize(trials) < run_->constants().population) continue;
    while (seen_.size() <= next) {
      const Trial& trial = finished[seen_.size()];
      seen_.push_back({trial.number, trial.result.status, trial.result.value});
    }
    end_generation(std::move(trials));
    trials.clear();
  }
}

void CmaEsProposer::end_generation(std::vector<const Trial*> trials) {
  std::sort(trials.begin(), trials.end(), [](const Trial* a, const Trial* b) { return rank_of(*a) < rank_of(*b); });
  Eigen::MatrixXd places(space_.size(), std::ssize(trials));
  std::vector<bool> foreign;
  for (const Trial* trial : trials) {
    const Draw draw = draw_again(*trial);
    places.col(std::ssize(foreign)) = draw.place;
    foreign.push_back(draw.foreign);
  }
  run_->update(places, foreign);
  keep_margins();
  note(trials);
  if (has_ended()) {
    ++runs_;
    begin_run();
  } else {
    generations_.push_back({runs_, std::ssize(seen_), run_->distribution()});
  }
}

void CmaEsProposer::keep_margins() {
  const CmaConstants& constants = run_->constants();
  const double margin = 1 / static_cast<double>(std::max<Index>(3, constants.population * constants.dimensions));
  for (Index i = 0; i < space_.size(); ++i) {
    const double deviation = run_->deviation(i), mean = run_->distribution().mean(i);
    if (!coordinates_.is_discrete(i) || !(deviation > 0) || !std::isfinite(deviation) || !std::isfinite(mean)) continue;
    const auto [below, above] = coordinates_.cell(i, mean);
    const CmaMarginal kept = with_margin({mean, run_->distribution().stretch(i)}, deviation, below, above, margin);
    run_->set_marginal(i, kept.mean, kept.stretch);
  }
}

void CmaEsProposer::note(std::span<const Trial* const> trials) {
  std::vector<double> values;
  for (const Trial* trial : trials) values.push_back(value_of(*trial));
  best_.push_back(value_of(*trials.front()));
  median_.push_back(median_of(values));
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  last_range_ = std::isfinite(*most) ? *most - *least : kNothing;
  if (best_.size() == 1) first_range_ = std::isfinite(last_range_) ? last_range_ : 0;
}

bool CmaEsProposer::has_ended() const {
  if (run_->breakdown() != nullptr) return true;
  bool moves = only_cells_;
  for (Index i = 0; i < space_.size(); ++i)
    moves = moves || (!coordinates_.is_discrete(i) && run_->reach(i) >= kLeastReach);
  if (!moves) return true;

  const auto generations = std::ssize(best_);
  const Index thirty = 30 * space_.size() / run_->constants().population + 1;
  if (generations >= 10 + thirty) {
    const auto [least, most] = std::minmax_element(best_.end() - (10 + thirty), best_.end());
    if (*least == *most) return true;
    if (*most - *least <= kLeastRange * first_range_ && last_range_ <= kLeastRange * first_range_) return true;
  }
  // Stagnation: over the last fifth, but so many generations at least, neither is better in its last 30 % than in its first.
  const Index window = std::min<Index>(std::max(120 + thirty, generations / 5), 20'000);
  if (generations < window) return false;
  const Index part = 3 * window / 10;
  const auto no_better = [&](const std::vector<double>& values) {
    return median_of({values.end() - part, values.end()}) >=
           median_of({values.end() - window, values.end() - window + part});
  };
  return no_better(best_) && no_better(median_);
}

CmaEsProposer::Draw CmaEsProposer::draw(Index number, Index attempt, const CmaDistribution& from) const {
  RandomStream stream(options_.seed, "cma-es", {number, attempt});
  Eigen::VectorXd normals(space_.size());
  for (double& normal : normals) normal = stream.normal();
  Draw draw;
  draw.place = from.point(normals);
  draw.point = coordinates_.point(draw.place);
  return draw;
}

CmaEsProposer::Draw CmaEsProposer::draw_again(const Trial& trial) const {
  const Generation& generation = generation_of(trial.known);
  for (Index attempt = 0; attempt < kAttempts; ++attempt) {
    Draw drawn = draw(trial.number, attempt, generation.distribution);
    if (!equal(drawn.point, trial.point)) continue;
    drawn.foreign = &generation != &generations_.back();
    return drawn;
  }
  return {coordinates_.coordinates(trial.point), trial.point, true};
}

Proposal CmaEsProposer::propose(Index number, std::span<const Trial> finished, std::span<const PendingTrial> pending) {
  learn(finished);
  PointSet known;
  if (only_cells_) {
    for (const Trial& trial : finished) known.insert(trial.point);
    for (const PendingTrial& trial : pending) known.insert(trial.point);
  }
  const CmaDistribution& from = generations_.back().distribution;
  Proposal proposal;
  proposal.why = {{"rule", "cma-es"}, {"run", runs_}, {"generation", run_->generation()}, {"sigma", from.sigma}};
  for (Index attempt = 0; attempt < kAttempts; ++attempt) {
    Point point = draw(number, attempt, from).point;
    if (!space_.feasible(point) || (attempt < kNewAttempts && known.contains(point))) continue;
    proposal.point = std::move(point);
    return proposal;
  }
  RandomStream stream(options_.seed, "cma-es-anywhere", {number});
  proposal.point = sample_feasible(space_, stream);
  return proposal;
}

}  // namespace tempera
