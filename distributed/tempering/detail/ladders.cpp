#include "distributed/tempering/detail/ladders.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/error.hpp"
#include "core/base/parallel.hpp"
#include "core/sampling/climb.hpp"
#include "distributed/tempering/detail/ladder_sizes.hpp"
#include "distributed/tempering/detail/tuning_record.hpp"

namespace tempera::detail {

namespace {

constexpr int kStarts = 100;
// A plain chain has no hot ones to send it elsewhere, and begins where a step size that suits the others may be far too
// large: it climbs first, and in these rounds slices, which need none, go ahead of its explorer.
constexpr int kFindingRounds = 4;
constexpr std::size_t kFindingUpTo = 200;  // dimensions: beyond, a pass of slices costs more than it finds

ChainTuning standard(std::size_t dimension) {
  ChainTuning tuning;
  tuning.means.assign(dimension, 0.0);
  tuning.scales.assign(dimension, 1.0);
  return tuning;
}

/// The chain of the same leg whose β is nearest.
Index nearest(const LadderPlan& plan, int leg, double beta) {
  Index best = plan.first(leg);
  for (Index c = best; c < plan.first(leg) + plan.size(leg); ++c)
    if (std::abs(plan.beta(c) - beta) < std::abs(plan.beta(best) - beta)) best = c;
  return best;
}

}  // namespace

Ladders::Ladders(const Communicator& ranks, const Target& target, const Explorer& explorer,
                 const TemperingOptions& options)
    : ranks_(ranks),
      options_(options),
      dimension_(static_cast<std::size_t>(target.dimension())),
      constrained_size_(static_cast<std::size_t>(target.constrained_size())),
      plan_(first_sizes(options)),
      board_(ranks, options.ladders, options.seed),
      tunings_(static_cast<std::size_t>(plan_.chains()), standard(dimension_)),
      fitted_(standard(dimension_)),
      record_(constrained_size_ + kDrawStatistics) {
  make_workers(target, explorer);
  deal();
}

void Ladders::make_workers(const Target& target, const Explorer& explorer) {
  workers_.resize(static_cast<std::size_t>(options_.threads));
  for (Worker& worker : workers_) {
    if (options_.reference != TemperingReference::gaussian) worker.targets.push_back(target.clone());
    if (options_.reference != TemperingReference::prior)
      worker.targets.push_back(std::make_unique<GaussianReferenceTarget>(target));
    worker.explorer = explorer.clone();
    worker.density.emplace(*worker.targets[0], 1);
  }
}

/// Replica k of a ladder in its chain k.
void Ladders::deal() {
  deal_ = {options_.ladders * plan_.chains(), ranks_.size()};
  replicas_.clear();
  for (Index number = deal_.begin(ranks_.rank()); number < deal_.end(ranks_.rank()); ++number) {
    Replica& replica = replicas_.emplace_back();
    replica.number = number;
    replica.chain = number % plan_.chains();
    replica.leg = plan_.leg(replica.chain);
  }
  offers_.resize(replicas_.size());
}

bool Ladders::covariance(Index chain) const {
  return workers_[0].explorer->wants_covariance() ||
         (options_.reference != TemperingReference::prior && plan_.is_target(chain) && dimension_ <= kCorrelatedUpTo);
}

void Ladders::check(const Replica& replica) const {
  if (replica.point.density.likelihood == std::numeric_limits<double>::infinity() ||
      replica.point.density.reference == std::numeric_limits<double>::infinity())
    throw Error(Category::numerical, fmt::format("chain {}", replica.chain), "the log density is +inf",
                "a density has to be finite: check the model for a division by zero");
}

/// Work with the density where the replica is; what it evaluates is put down to the replica.
template <class Work>
void Ladders::with_density(Worker& worker, Replica& replica, Work work) {
  PathDensity& density = *worker.density;
  density.move_to(*worker.targets[static_cast<std::size_t>(plan_.leg(replica.chain))], plan_.beta(replica.chain));
  const Index evaluations = density.evaluations(), gradients = density.gradients(), invalid = density.invalid();
  work(density);
  replica.evaluations += density.evaluations() - evaluations;
  replica.gradients += density.gradients() - gradients;
  replica.invalid += density.invalid() - invalid;
}

/// The density of the point where the replica is.
void Ladders::evaluate(Worker& worker, Replica& replica) {
  with_density(worker, replica, [&](PathDensity& density) { density.at(replica.point.u, replica.point.density); });
  replica.leg = plan_.leg(replica.chain);
  check(replica);
}

void Ladders::start(Worker& worker, Replica& replica) {
  Target& target = *worker.targets[static_cast<std::size_t>(replica.leg)];
  replica.point.u.assign(dimension_, 0.0);
  bool found = false;
  for (int attempt = 0; attempt < kStarts && !found; ++attempt) {
    RandomStream stream(options_.seed, "pt-start", {replica.number, attempt});
    if (target.samples_reference())
      target.sample_reference(stream, replica.point.u);
    else
      for (double& value : replica.point.u) value = 2 * stream.uniform() - 1;
    with_density(worker, replica, [&](PathDensity& density) {
      found = std::isfinite(density.at(replica.point.u, replica.point.density));
      if (found && plan_.chains() == 1 && target.has_gradient()) climb(density, replica.point);
    });
    check(replica);
  }
  if (found) return;
  throw Error(Category::numerical, fmt::format("chain {}", replica.chain),
              fmt::format("no point of positive density among {} draws {}", kStarts,
                          target.samples_reference() ? "from the reference" : "near 0"),
              "is the likelihood zero nearly everywhere, or NaN?");
}

void Ladders::start() {
  for (Replica& replica : replicas_) start(workers_[0], replica);
  choose_step_sizes();
}

/// From the states of the first ladder.
void Ladders::choose_step_sizes() {
  const auto count = static_cast<std::size_t>(workers_[0].explorer->step_size_count());
  if (count == 0) return;
  std::vector<double> sizes(static_cast<std::size_t>(plan_.chains()) * count, 0.0);
  for (Replica& replica : replicas_) {
    if (replica.number >= plan_.chains()) break;
    const auto chain = static_cast<std::size_t>(replica.chain);
    RandomStream stream(options_.seed, "pt-step-size", {replica.number});
    with_density(workers_[0], replica, [&](PathDensity& density) {
      const auto mine = workers_[0].explorer->first_step_sizes(density, tunings_[chain], replica.point, stream);
      std::copy(mine.begin(), mine.end(), sizes.begin() + static_cast<std::ptrdiff_t>(chain * count));
    });
  }
  ranks_.all_reduce(std::span<double>(sizes), Reduction::sum);  // each is not zero on one rank only
  auto at = sizes.begin();
  for (ChainTuning& tuning : tunings_) {
    tuning.step_sizes.assign(at, at + static_cast<std::ptrdiff_t>(count));
    at += static_cast<std::ptrdiff_t>(count);
  }
}

void Ladders::begin_round(int round, Index scan) {
  for (Replica& replica : replicas_) {
    replica.likelihoods.reserve(std::size_t{1} << round);
    replica.chains.reserve(std::size_t{1} << round);
  }
  board_.begin_round(round, plan_.betas(), scan);
}

void Ladders::explore(Worker& worker, Replica& replica, int round, Index scan) {
  RandomStream stream(options_.seed, "pt-explore", {round, scan, replica.number});
  with_density(worker, replica, [&](PathDensity& density) {
    SamplePoint& point = replica.point;
    if (plan_.is_reference(replica.chain) && density.target().samples_reference()) {
      density.target().sample_reference(stream, point.u);
      density.at(point.u, point.density);
      replica.step = {};
      return;
    }
    if (replica.leg != plan_.leg(replica.chain)) density.at(point.u, point.density);
    const ChainTuning& tuning = tunings_[static_cast<std::size_t>(replica.chain)];
    if (plan_.chains() == 1 && round <= kFindingRounds && dimension_ <= kFindingUpTo)
      worker.finder.step(density, tuning, point, stream);
    replica.step = worker.explorer->step(density, tuning, point, stream);
  });
  replica.leg = plan_.leg(replica.chain);
  check(replica);
  replica.note(plan_, covariance(replica.chain));
}

void Ladders::explore_all(int round, Index scan) {
  if (workers_.size() == 1) {
    for (Replica& replica : replicas_) explore(workers_[0], replica, round, scan);
    return;
  }
  for_each_piece(std::ssize(replicas_), 1, static_cast<int>(workers_.size()), [&](const Piece& piece) {
    explore(workers_[static_cast<std::size_t>(piece.worker)], replicas_[static_cast<std::size_t>(piece.begin)], round,
            scan);
  });
}

void Ladders::keep(const Replica& replica, DrawStore& draws, Index draw) {
  if (!options_.keep_all && !plan_.is_target(replica.chain)) return;
  const Index kept = options_.keep_all ? plan_.chains() : plan_.legs();
  const Index stream =
      replica.number / plan_.chains() * kept + (options_.keep_all ? replica.chain : plan_.leg(replica.chain));
  const auto size = constrained_size_;
  workers_[0].targets[0]->constrain(replica.point.u, std::span(record_).first(size));
  const auto statistic = [&](DrawStatistic which, double value) {
    record_[size + static_cast<std::size_t>(which)] = value;
  };
  statistic(DrawStatistic::log_reference, replica.point.density.reference);
  statistic(DrawStatistic::log_likelihood, replica.point.density.likelihood);
  statistic(DrawStatistic::replica, static_cast<double>(replica.number));
  statistic(DrawStatistic::acceptance, replica.step.acceptance);
  statistic(DrawStatistic::proposals, static_cast<double>(replica.step.proposals));
  statistic(DrawStatistic::depth, replica.step.depth);
  statistic(DrawStatistic::divergent, replica.step.divergent);
  statistic(DrawStatistic::energy, replica.step.energy);
  const auto& step_sizes = tunings_[static_cast<std::size_t>(replica.chain)].step_sizes;
  const StepSizeUse& use = replica.step.step_sizes[0];
  statistic(DrawStatistic::step_size, step_sizes.empty() || use.count == 0
                                          ? 0
                                          : step_sizes[0] * std::exp(use.log_ratio / static_cast<double>(use.count)));
  draws.put(stream, draw, record_);
}

void Ladders::scan(int round, Index scan, DrawStore& draws, std::optional<Index> draw) {
  {
    const auto region = ranks_.regions().open("explore");
    explore_all(round, scan);
  }
  for (std::size_t k = 0; k < replicas_.size(); ++k) {
    const Replica& replica = replicas_[k];
    if (draw) keep(replica, draws, *draw);
    offers_[k] = {replica.number, replica.chain, replica.point.density.likelihood};
  }
  {
    const auto region = ranks_.regions().open("swap");
    board_.swap(scan, offers_);
  }
  for (std::size_t k = 0; k < replicas_.size(); ++k) replicas_[k].chain = offers_[k].chain;
}

std::vector<ChainStatistics> Ladders::chain_statistics() const {
  const auto region = ranks_.regions().open("statistics");
  const BlockDeal chains = chain_deal();
  std::size_t length = 0;
  for (const Replica& replica : replicas_)
    for (const auto& [chain, statistics] : replica.statistics)
      length += 1 + ChainStatistics::width(dimension_, covariance(chain));
  std::vector<double> send;
  send.reserve(length);
  std::vector<Index> counts;
  for (int q = 0; q < ranks_.size(); ++q) {
    const std::size_t before = send.size();
    for (const Replica& replica : replicas_)
      for (const auto& [chain, statistics] : replica.statistics) {
        if (chain < chains.begin(q) || chain >= chains.end(q)) continue;
        send.push_back(static_cast<double>(chain));
        statistics.append_to(send);
      }
    counts.push_back(static_cast<Index>(send.size() - before));
  }
  const auto received = ranks_.all_to_all(std::span<const double>(send), std::span<const Index>(counts));
  const Index first = chains.begin(ranks_.rank());
  std::vector<ChainStatistics> merged;
  for (Index c = first; c < chains.end(ranks_.rank()); ++c) merged.emplace_back(dimension_, covariance(c));
  for (std::size_t at = 0; at < received.size();) {  // ranks hold replicas in their order
    const auto chain = static_cast<Index>(received[at]);
    const std::size_t width = ChainStatistics::width(dimension_, covariance(chain));
    merged[static_cast<std::size_t>(chain - first)].merge(
        {dimension_, covariance(chain), std::span(received).subspan(at + 1, width)});
    at += 1 + width;
  }
  return merged;
}

void Ladders::learn(const TemperingRound& result) {
  const std::vector<ChainStatistics> merged = chain_statistics();
  const BlockDeal chains = chain_deal();
  const Index first = chains.begin(ranks_.rank());
  const Explorer& explorer = *workers_[0].explorer;
  std::vector<ChainTuning> mine;
  const Index fitted_chain = plan_.size(0) - 1;
  for (std::size_t k = 0; k < merged.size(); ++k) {
    const Index c = first + static_cast<Index>(k);
    const auto chain = static_cast<std::size_t>(c);
    ChainTuning tuning = merged[k].learnt(tunings_[chain]);
    if (c == fitted_chain) fitted_ = merged[k].learnt(fitted_);
    if (!explorer.wants_covariance()) tuning.covariance_factor.clear();
    tuning.step_sizes = explorer.next_step_sizes(tunings_[chain], tuning, result.reports[chain]);
    mine.push_back(std::move(tuning));
  }
  share_tunings(mine);
  if (options_.reference == TemperingReference::prior) return;
  std::vector<double> numbers;
  append(numbers, fitted_);
  Index size = std::ssize(numbers);
  const int owner = chains.owner(fitted_chain);
  size = ranks_.broadcast_value(size, owner);
  numbers.resize(static_cast<std::size_t>(size));
  ranks_.broadcast(std::span<double>(numbers), owner);
  read(numbers.begin(), fitted_);
}

void Ladders::share_tunings(const std::vector<ChainTuning>& mine) {
  std::vector<double> numbers;
  for (const ChainTuning& tuning : mine) append(numbers, tuning);
  const std::vector<double> all = ranks_.all_gather(std::span<const double>(numbers));
  auto at = all.begin();
  for (ChainTuning& tuning : tunings_) at = read(at, tuning);
}

void Ladders::set_fitted_reference() {
  if (options_.reference == TemperingReference::prior) return;
  const auto fitted = std::make_shared<const GaussianApproximation>(fitted_);
  for (Worker& worker : workers_) static_cast<GaussianReferenceTarget&>(*worker.targets.back()).set_reference(fitted);
}

void Ladders::adapt(const TemperingRound& result, std::vector<Index> sizes) {
  learn(result);
  for (Replica& replica : replicas_) replica.begin_round();
  set_fitted_reference();
  const LadderPlan before = plan_;
  plan_ = plan_.recut(result.rejections, std::move(sizes));
  if (!std::equal(before.sizes().begin(), before.sizes().end(), plan_.sizes().begin())) redeal(before);
  if (options_.reference != TemperingReference::prior)
    for (Replica& replica : replicas_)
      if (!plan_.is_reference(replica.chain)) evaluate(workers_[0], replica);
}

/// A ladder of another length: each replica goes on from the state whose β was nearest.
void Ladders::redeal(const LadderPlan& old_plan) {
  const auto region = ranks_.regions().open("new ladder");
  const BlockDeal old_deal = deal_;
  std::vector<Index> mine;
  for (const Replica& replica : replicas_) mine.push_back(replica.chain);
  const auto chains = ranks_.all_gather(std::span<const Index>(mine));
  std::vector<Index> holder(chains.size());  // of each chain of each ladder
  for (std::size_t k = 0; k < chains.size(); ++k)
    holder[static_cast<std::size_t>(static_cast<Index>(k) / old_plan.chains() * old_plan.chains() + chains[k])] =
        static_cast<Index>(k);
  const std::vector<Replica> old = std::move(replicas_);
  const std::vector<ChainTuning> tunings = std::move(tunings_);
  deal();
  tunings_.clear();
  std::vector<Index> source_chain;
  for (Index c = 0; c < plan_.chains(); ++c) {
    source_chain.push_back(nearest(old_plan, plan_.leg(c), plan_.beta(c)));
    tunings_.push_back(tunings[static_cast<std::size_t>(source_chain.back())]);
  }
  std::vector<double> send;
  std::vector<Index> counts;
  for (int q = 0; q < ranks_.size(); ++q) {
    const std::size_t before = send.size();
    for (Index number = deal_.begin(q); number < deal_.end(q); ++number) {
      const Index from =
          holder[static_cast<std::size_t>(number / plan_.chains() * old_plan.chains() +
                                          source_chain[static_cast<std::size_t>(number % plan_.chains())])];
      if (old_deal.owner(from) != ranks_.rank()) continue;
      const Replica& replica = old[static_cast<std::size_t>(from - old_deal.begin(ranks_.rank()))];
      send.push_back(static_cast<double>(number));
      send.push_back(replica.point.density.reference);
      send.push_back(replica.point.density.likelihood);
      send.insert(send.end(), replica.point.u.begin(), replica.point.u.end());
    }
    counts.push_back(static_cast<Index>(send.size() - before));
  }
  const auto received = ranks_.all_to_all(std::span<const double>(send), std::span<const Index>(counts));
  for (auto at = received.begin(); at != received.end(); at += 3 + static_cast<std::ptrdiff_t>(dimension_)) {
    Replica& replica = replicas_[static_cast<std::size_t>(static_cast<Index>(*at) - deal_.begin(ranks_.rank()))];
    replica.point.density = {at[1], at[2]};
    replica.point.u.assign(at + 3, at + 3 + static_cast<std::ptrdiff_t>(dimension_));
  }
}

LaddersState Ladders::state() const {
  return {
      {plan_.sizes().begin(), plan_.sizes().end()}, {plan_.betas().begin(), plan_.betas().end()}, tunings_, fitted_};
}

void Ladders::restore(const LaddersState& state) {
  plan_ = LadderPlan(state.sizes, state.betas);
  tunings_ = state.tunings;
  fitted_ = state.fitted;
  set_fitted_reference();
  deal();
}

}  // namespace tempera::detail
