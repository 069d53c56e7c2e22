#include "distributed/tempering/tempering.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/contract.hpp"
#include "core/base/error.hpp"
#include "core/sampling/schedule.hpp"
#include "distributed/communicator/objects.hpp"
#include "distributed/tempering/replica.hpp"
#include "distributed/tempering/swap_board.hpp"

namespace tempera {

namespace {

constexpr int kStarts = 100;

/// The replicas of one rank on their way through the rounds.
class Ladders {
 public:
  Ladders(const Communicator& ranks, const Target& target, const Explorer& explorer, const TemperingOptions& options)
      : ranks_(ranks),
        options_(options),
        target_(target.clone()),
        explorer_(explorer.clone()),
        deal_{options.ladders * options.chains, ranks.size()},
        board_(ranks, options.ladders, options.chains, options.seed),
        schedule_(even_schedule(options.chains)),
        scales_(static_cast<std::size_t>(options.chains),
                std::vector<double>(static_cast<std::size_t>(target_->dimension()), 1.0)) {
    for (Index number = deal_.begin(ranks.rank()); number < deal_.end(ranks.rank()); ++number) {
      Replica& replica = replicas_.emplace_back();
      replica.number = number;
      replica.chain = number % options.chains;
      start(replica);
    }
    offers_.resize(replicas_.size());
  }

  TemperingRound round(int number, TemperingDraws* draws) {
    const Index scans = Index{1} << number;
    board_.begin_round(number, schedule_);
    evaluations_ = invalid_ = 0;
    for (Replica& replica : replicas_) replica.begin_round();
    for (Index scan = 0; scan < scans; ++scan) {
      for (std::size_t k = 0; k < replicas_.size(); ++k) {
        Replica& replica = replicas_[k];
        explore(replica, number, scan);
        replica.note(options_.chains);
        if (draws != nullptr && replica.chain == options_.chains - 1 && scan % options_.thin == 0)
          keep(replica, scan / options_.thin, *draws);
        offers_[k] = {replica.number, replica.chain, replica.point.density.likelihood};
      }
      {
        const auto region = ranks_.regions().open("swap");
        board_.swap(scan, offers_);
      }
      for (std::size_t k = 0; k < replicas_.size(); ++k) replicas_[k].chain = offers_[k].chain;
    }
    return finish(number, scans);
  }

 private:
  void start(Replica& replica) {
    std::vector<double>& u = replica.point.u;
    u.assign(static_cast<std::size_t>(target_->dimension()), 0.0);
    PathDensity density(*target_, schedule_[static_cast<std::size_t>(replica.chain)]);
    for (int attempt = 0; attempt < kStarts; ++attempt) {
      RandomStream stream(options_.seed, "pt-start", {replica.number, attempt});
      if (target_->samples_reference())
        target_->sample_reference(stream, u);
      else
        for (double& value : u) value = 2 * stream.uniform() - 1;
      if (std::isfinite(density.at(u, replica.point.density))) return;
      check(replica);
    }
    throw Error(Category::numerical, fmt::format("chain {}", replica.chain),
                fmt::format("no point of positive density among {} draws {}", kStarts,
                            target_->samples_reference() ? "from the reference" : "near 0"),
                "is the likelihood zero nearly everywhere, or NaN?");
  }

  void check(const Replica& replica) const {
    if (replica.point.density.likelihood == std::numeric_limits<double>::infinity() ||
        replica.point.density.reference == std::numeric_limits<double>::infinity())
      throw Error(Category::numerical, fmt::format("chain {}", replica.chain), "the log density is +inf",
                  "a density has to be finite: check the model for a division by zero");
  }

  void explore(Replica& replica, Index round, Index scan) {
    RandomStream stream(options_.seed, "pt-explore", {round, scan, replica.number});
    const auto chain = static_cast<std::size_t>(replica.chain);
    PathDensity density(*target_, schedule_[chain]);
    if (chain == 0 && target_->samples_reference()) {
      target_->sample_reference(stream, replica.point.u);
      density.at(replica.point.u, replica.point.density);
    } else {
      explorer_->step(density, {{}, scales_[chain], {}, {}}, replica.point, stream);
    }
    check(replica);
    evaluations_ += density.evaluations();
    invalid_ += density.invalid();
  }

  void keep(const Replica& replica, Index draw, TemperingDraws& draws) {
    draws.places.push_back({replica.number / options_.chains, draw});
    const std::size_t at = draws.values.size(), size = static_cast<std::size_t>(target_->constrained_size());
    draws.values.resize(at + size);
    target_->constrain(replica.point.u, std::span(draws.values).subspan(at, size));
  }

  /// Likelihoods by (ladder, chain, scan), on rank 0.
  std::vector<double> gather_likelihoods(Index scans) const {
    std::vector<double> mine;
    for (const Replica& replica : replicas_)
      for (std::size_t t = 0; t < replica.likelihoods.size(); ++t) {
        mine.push_back(static_cast<double>(replica.chains[t]));
        mine.push_back(replica.likelihoods[t]);
      }
    const std::vector<double> all = ranks_.gather(std::span<const double>(mine), 0);
    if (!ranks_.is_root()) return {};
    std::vector<double> sorted(all.size() / 2);
    for (std::size_t k = 0; k < sorted.size(); ++k) {  // ranks hold replicas in their order
      const Index number = static_cast<Index>(k) / scans, scan = static_cast<Index>(k) % scans;
      const Index ladder = number / options_.chains, chain = static_cast<Index>(all[2 * k]);
      sorted[static_cast<std::size_t>((ladder * options_.chains + chain) * scans + scan)] = all[2 * k + 1];
    }
    return sorted;
  }

  std::vector<double> mean_rejections() const {
    std::vector<double> sums;
    for (const PairRecord& record : board_.records()) {
      sums.push_back(record.rejection);
      sums.push_back(static_cast<double>(record.scans));
    }
    // Each is held by one rank, all others add zero.
    ranks_.all_reduce(std::span<double>(sums), Reduction::sum);
    const auto pairs = static_cast<std::size_t>(options_.chains - 1);
    std::vector<double> means(pairs, 0.0), counts(pairs, 0.0);
    for (std::size_t k = 0; k < sums.size() / 2; ++k) {
      means[k % pairs] += sums[2 * k];
      counts[k % pairs] += sums[2 * k + 1];
    }
    for (std::size_t p = 0; p < pairs; ++p) means[p] = counts[p] > 0 ? means[p] / counts[p] : 0;
    return means;
  }

  TemperingRound finish(int number, Index scans) {
    TemperingRound result;
    result.round = number;
    result.scans = scans;
    result.schedule = schedule_;
    result.rejections = mean_rejections();
    for (const double r : result.rejections) result.rejection_sum += r;
    Index sums[] = {0, 0, evaluations_, invalid_};
    for (const Replica& replica : replicas_) {
      sums[0] += replica.round_trips;
      sums[1] += replica.restarts;
    }
    ranks_.all_reduce(std::span<Index>(sums), Reduction::sum);
    result.round_trips = sums[0];
    result.restarts = sums[1];
    result.evaluations = sums[2];
    result.invalid = sums[3];
    result.ideal_round_trips = ideal_round_trip_rate(result.rejections) * static_cast<double>(scans * options_.ladders);
    estimate(gather_likelihoods(scans), scans, result);
    learn_scales();
    schedule_ = equal_rejection_schedule(schedule_, result.rejections, options_.chains);
    return result;
  }

  void estimate(const std::vector<double>& likelihoods, Index scans, TemperingRound& result) const {
    if (ranks_.is_root()) {
      const auto ladders = static_cast<double>(options_.ladders);
      const auto length = static_cast<std::size_t>(options_.chains * scans);
      Evidence& mean = result.evidence;
      const auto add = [&](const Evidence& one, double Evidence::*value, double Evidence::*error) {
        mean.*value += one.*value / ladders;
        mean.*error = std::hypot(mean.*error, one.*error / ladders);
      };
      for (std::size_t ladder = 0; ladder < static_cast<std::size_t>(options_.ladders); ++ladder) {
        const auto traces = std::span(likelihoods).subspan(ladder * length, length);
        const Evidence one = estimate_evidence(schedule_, traces, scans);
        add(one, &Evidence::estimate, &Evidence::standard_error);
        add(one, &Evidence::forward, &Evidence::forward_error);
        add(one, &Evidence::reverse, &Evidence::reverse_error);
        add(one, &Evidence::stepping_stone, &Evidence::stepping_stone_error);
        add(one, &Evidence::thermodynamic, &Evidence::thermodynamic_error);
        mean.disagree = mean.disagree || one.disagree;
        result.barrier += communication_barrier(schedule_, traces, scans) / ladders;
      }
    }
    result.evidence = ranks_.broadcast_value(result.evidence, 0);
    result.barrier = ranks_.broadcast_value(result.barrier, 0);
  }

  /// Standard deviations of each chain, from what all replicas saw there: merged in the order of the replicas, a share of
  /// the coordinates on each rank.
  void learn_scales() {
    const Index dimension = target_->dimension();
    const BlockDeal coordinates{dimension, ranks_.size()};
    std::vector<double> send;
    std::vector<Index> counts;
    for (int q = 0; q < ranks_.size(); ++q) {
      const std::size_t before = send.size();
      for (const Replica& replica : replicas_)
        for (const auto& [chain, moments] : replica.moments) {
          send.push_back(static_cast<double>(chain));
          send.push_back(static_cast<double>(moments.count));
          for (Index i = coordinates.begin(q); i < coordinates.end(q); ++i) {
            send.push_back(moments.mean[static_cast<std::size_t>(i)]);
            send.push_back(moments.squares[static_cast<std::size_t>(i)]);
          }
        }
      counts.push_back(static_cast<Index>(send.size() - before));
    }
    const auto received = ranks_.all_to_all(std::span<const double>(send), std::span<const Index>(counts));
    const Index first = coordinates.begin(ranks_.rank()), mine = coordinates.end(ranks_.rank()) - first;
    const auto chains = static_cast<std::size_t>(options_.chains), width = static_cast<std::size_t>(mine);
    std::vector<double> count(chains, 0.0), mean(chains * width), squares(chains * width);
    for (std::size_t at = 0; at < received.size(); at += 2 + 2 * width) {
      const auto chain = static_cast<std::size_t>(received[at]);
      const double more = received[at + 1], total = count[chain] + more;
      for (std::size_t i = 0; i < width; ++i) {
        const double change = received[at + 2 + 2 * i] - mean[chain * width + i];
        mean[chain * width + i] += change * more / total;
        squares[chain * width + i] += received[at + 3 + 2 * i] + change * change * count[chain] * more / total;
      }
      count[chain] = total;
    }
    std::vector<double> deviations;
    for (std::size_t i = 0; i < width; ++i)
      for (std::size_t c = 0; c < chains; ++c) deviations.push_back(std::sqrt(squares[c * width + i] / (count[c] - 1)));
    const auto all = ranks_.all_gather(std::span<const double>(deviations));
    for (std::size_t i = 0; i < static_cast<std::size_t>(dimension); ++i)
      for (std::size_t c = 0; c < chains; ++c)
        if (const double deviation = all[i * chains + c]; deviation > 0 && std::isfinite(deviation))
          scales_[c][i] = deviation;
  }

  const Communicator& ranks_;
  const TemperingOptions& options_;
  std::unique_ptr<Target> target_;
  std::unique_ptr<Explorer> explorer_;
  BlockDeal deal_;
  SwapBoard board_;
  std::vector<double> schedule_;
  std::vector<std::vector<double>> scales_;  ///< of each chain
  std::vector<Replica> replicas_;
  std::vector<SwapOffer> offers_;
  Index evaluations_ = 0, invalid_ = 0;
};

}  // namespace

TemperingResult sample_by_tempering(const Communicator& ranks, const Target& target, const Explorer& explorer,
                                    const TemperingOptions& options,
                                    const std::function<void(const TemperingRound&)>& observer) {
  TEMPERA_EXPECTS(options.chains >= 2 && options.ladders >= 1 && options.rounds >= 1 && options.thin >= 1);
  const auto region = ranks.regions().open("tempering");
  Ladders ladders(ranks, target, explorer, options);
  TemperingResult result;
  for (int round = 1; round <= options.rounds; ++round) {
    const bool last = round == options.rounds;
    result.rounds.push_back(ladders.round(round, last ? &result.draws : nullptr));
    if (observer) observer(result.rounds.back());
  }
  result.draws_a_ladder = ((Index{1} << options.rounds) + options.thin - 1) / options.thin;
  return result;
}

}  // namespace tempera
