#include "distributed/tempering/detail/round_estimates.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/sampling/schedule.hpp"

namespace tempera::detail {

namespace {

/// Likelihoods by (ladder, chain, scan), on rank 0.
std::vector<double> gather_likelihoods(const Communicator& ranks, const Ladders& ladders, Index scans) {
  std::vector<double> mine;
  mine.reserve(2 * ladders.replicas().size() * static_cast<std::size_t>(scans));
  for (const Replica& replica : ladders.replicas())
    for (std::size_t t = 0; t < replica.likelihoods.size(); ++t) {
      mine.push_back(static_cast<double>(replica.chains[t]));
      mine.push_back(replica.likelihoods[t]);
    }
  const std::vector<double> all = ranks.gather(std::span<const double>(mine), 0);
  if (!ranks.is_root()) return {};
  const Index chains = ladders.plan().chains();
  std::vector<double> sorted(all.size() / 2);
  for (std::size_t k = 0; k < sorted.size(); ++k) {  // ranks hold replicas in their order
    const Index number = static_cast<Index>(k) / scans, scan = static_cast<Index>(k) % scans;
    const Index ladder = number / chains, chain = static_cast<Index>(all[2 * k]);
    sorted[static_cast<std::size_t>((ladder * chains + chain) * scans + scan)] = all[2 * k + 1];
  }
  return sorted;
}

std::vector<double> mean_rejections(const Communicator& ranks, std::span<const PairRecord> records, Index chains) {
  std::vector<double> sums;
  for (const PairRecord& record : records) {
    sums.push_back(record.rejection);
    sums.push_back(static_cast<double>(record.scans));
  }
  // Each is held by one rank, all others add zero.
  ranks.all_reduce(std::span<double>(sums), Reduction::sum);
  const auto pairs = static_cast<std::size_t>(chains - 1);
  std::vector<double> means(pairs, 0.0), counts(pairs, 0.0);
  for (std::size_t k = 0; k < sums.size() / 2; ++k) {
    means[k % pairs] += sums[2 * k];
    counts[k % pairs] += sums[2 * k + 1];
  }
  for (std::size_t p = 0; p < pairs; ++p) means[p] = counts[p] > 0 ? means[p] / counts[p] : 0;
  return means;
}

void count(const Communicator& ranks, const Ladders& ladders, TemperingRound& result) {
  Index sums[] = {0, 0, 0, 0, 0};
  for (const Replica& replica : ladders.replicas()) {
    sums[0] += replica.round_trips;
    sums[1] += replica.restarts;
    sums[2] += replica.evaluations;
    sums[3] += replica.gradients;
    sums[4] += replica.invalid;
  }
  ranks.all_reduce(std::span<Index>(sums), Reduction::sum);
  result.round_trips = sums[0];
  result.restarts = sums[1];
  result.evaluations = sums[2];
  result.gradients = sums[3];
  result.invalid = sums[4];
}

void report(const Communicator& ranks, const Ladders& ladders, TemperingRound& result) {
  std::vector<ChainReport> mine;
  for (const ChainStatistics& chain : ladders.chain_statistics()) mine.push_back(chain.report());
  result.reports = ranks.all_gather(std::span<const ChainReport>(mine));
  for (const ChainTuning& tuning : ladders.tunings()) result.step_sizes.push_back(tuning.step_sizes);
}

void add_share(Evidence& mean, const Evidence& one, double share) {
  const auto add = [&](double Evidence::*value, double Evidence::*error) {
    mean.*value += share * one.*value;
    mean.*error = std::hypot(mean.*error, share * one.*error);
  };
  add(&Evidence::estimate, &Evidence::standard_error);
  add(&Evidence::forward, &Evidence::forward_error);
  add(&Evidence::reverse, &Evidence::reverse_error);
  add(&Evidence::stepping_stone, &Evidence::stepping_stone_error);
  add(&Evidence::thermodynamic, &Evidence::thermodynamic_error);
  mean.disagree = mean.disagree || one.disagree;
}

/// The leg from a reference that is not normalised tells no evidence; of two that do, the more certain one counts more.
Evidence combined(const std::vector<Evidence>& legs, bool normalised_prior) {
  if (legs.size() == 1) return legs[0];
  if (!normalised_prior) return legs[1];
  const double a = std::pow(legs[0].standard_error, -2), b = std::pow(legs[1].standard_error, -2);
  const double share = std::isfinite(a / (a + b)) ? a / (a + b) : 0.5;
  Evidence both;
  add_share(both, legs[0], share);
  add_share(both, legs[1], 1 - share);
  const double error = std::hypot(legs[0].standard_error, legs[1].standard_error);
  both.disagree = both.disagree || std::abs(legs[0].estimate - legs[1].estimate) > 4 * error;
  return both;
}

/// On rank 0.
void estimate_legs(const TemperingOptions& options, const LadderPlan& plan, const std::vector<double>& likelihoods,
                   Index scans, TemperingRound& result) {
  const auto ladders = static_cast<double>(options.ladders);
  std::vector<double> barriers(static_cast<std::size_t>(options.ladders), 0.0);
  for (int leg = 0; leg < plan.legs(); ++leg) {
    const std::vector<double> betas = plan.leg_betas(leg);
    Evidence mean;
    double barrier = 0;
    for (Index ladder = 0; ladder < options.ladders; ++ladder) {
      std::vector<double> traces;  // chain after chain, β increasing
      for (Index k = 0; k < plan.size(leg); ++k) {
        const Index chain = leg == 0 ? k : plan.chains() - 1 - k;
        const auto begin = likelihoods.begin() + (ladder * plan.chains() + chain) * scans;
        traces.insert(traces.end(), begin, begin + scans);
      }
      add_share(mean, estimate_evidence(betas, traces, scans), 1 / ladders);
      const double one = communication_barrier(betas, traces, scans);
      barrier += one / ladders;
      barriers[static_cast<std::size_t>(ladder)] += one;
    }
    result.legs[static_cast<std::size_t>(leg)] = mean;
    result.leg_barriers[static_cast<std::size_t>(leg)] = barrier;
    result.barrier += barrier;
  }
  double squares = 0;
  for (const double one : barriers) squares += (one - result.barrier) * (one - result.barrier);
  result.barrier_error = std::sqrt(squares / (ladders - 1) / ladders);  // NaN for one
}

}  // namespace

TemperingRound estimate_round(const Communicator& ranks, const TemperingOptions& options, const Ladders& ladders,
                              std::span<const PairRecord> pairs, bool normalised_prior, int round, Index scans) {
  const LadderPlan& plan = ladders.plan();
  TemperingRound result;
  result.round = round;
  result.scans = scans;
  result.sizes.assign(plan.sizes().begin(), plan.sizes().end());
  result.schedule.assign(plan.betas().begin(), plan.betas().end());
  count(ranks, ladders, result);
  report(ranks, ladders, result);
  if (plan.chains() == 1) return result;
  result.rejections = mean_rejections(ranks, pairs, plan.chains());
  for (const double r : result.rejections) result.rejection_sum += r;
  result.ideal_round_trips = ideal_round_trip_rate(result.rejections) * static_cast<double>(scans * options.ladders);
  const auto legs = static_cast<std::size_t>(plan.legs());
  result.legs.resize(legs);
  result.leg_barriers.resize(legs);
  const std::vector<double> likelihoods = gather_likelihoods(ranks, ladders, scans);
  if (ranks.is_root()) estimate_legs(options, plan, likelihoods, scans, result);
  ranks.broadcast(std::span<Evidence>(result.legs), 0);
  ranks.broadcast(std::span<double>(result.leg_barriers), 0);
  result.barrier = ranks.broadcast_value(result.barrier, 0);
  result.barrier_error = ranks.broadcast_value(result.barrier_error, 0);
  result.evidence = combined(result.legs, normalised_prior);
  return result;
}

}  // namespace tempera::detail
