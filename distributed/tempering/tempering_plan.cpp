#include "distributed/tempering/tempering_plan.hpp"

#include <algorithm>
#include <numeric>

#include "core/sampling/chain_statistics.hpp"
#include "distributed/communicator/mailbox.hpp"
#include "distributed/tempering/block_deal.hpp"
#include "distributed/tempering/detail/ladder_sizes.hpp"
#include "distributed/tempering/detail/ladders.hpp"

namespace tempera {

namespace {

constexpr Index kLetterBytes = sizeof(Letter);

Traffic copies(int ranks, Index bytes) {
  return copies_traffic(ranks, static_cast<std::size_t>(bytes));
}
Traffic broadcast(int ranks, int rank, Index bytes, int root = 0) {
  return rank == root ? copies(ranks, bytes) : Traffic{};
}
/// To rank 0.
Traffic gather(int rank, Index bytes) {
  return rank == 0 ? Traffic{} : part_traffic(static_cast<std::size_t>(bytes));
}

std::size_t at(int round) {
  return static_cast<std::size_t>(round - 1);
}

/// Replicas of ladder k that a rank holds.
Index held(const BlockDeal& replicas, int rank, Index ladder, Index chains) {
  const Index begin = std::max(replicas.begin(rank), ladder * chains);
  return std::max<Index>(0, std::min(replicas.end(rank), (ladder + 1) * chains) - begin);
}

/// Both ends of a pair offer, and are answered.
void add_swaps(const TemperingPlan& plan, int rank, int round, TemperingTraffic& sent) {
  const Index chains = plan.chains(round), pairs = chains - 1, ladders = plan.options.ladders;
  if (plan.ranks == 1 || pairs == 0) return;
  const BlockDeal replicas{ladders * chains, plan.ranks}, homes{ladders * pairs, plan.ranks};
  const Index scans_of_pair = TemperingPlan::scans(round) / 2;  // a pair is up in every second scan
  double letters = 0;                                           // a scan
  Index most = 0;
  for (Index ladder = 0; ladder < ladders; ++ladder) {
    const Index first = ladder * pairs, end = first + pairs;
    const Index mine = std::clamp(homes.end(rank), first, end) - std::clamp(homes.begin(rank), first, end);
    const Index here = held(replicas, rank, ladder, chains);
    const double share = static_cast<double>(here) / static_cast<double>(chains);
    letters += 2 * static_cast<double>(pairs - mine) * share + 2 * static_cast<double>(mine) * (1 - share);
    // Offers to pairs of others in two scans, and answers of its pairs to replicas of others.
    most += std::min(2 * here, 2 * (pairs - mine)) + std::min(2 * mine, 2 * (chains - here));
  }
  sent.swap_letters += letters * static_cast<double>(scans_of_pair);
  sent.swap_letters_most += most * scans_of_pair;
}

/// Of each chain that a replica has been in, one record to the rank that the chain is dealt to.
Traffic statistics(const TemperingPlan& plan, int rank, int round) {
  Traffic sent;
  const BlockDeal chains{plan.chains(round), plan.ranks};
  const Index replicas = plan.replicas(round, rank);
  for (int q = 0; q < plan.ranks && replicas > 0; ++q) {
    Index numbers = 0;
    for (Index chain = chains.begin(q); chain < chains.end(q); ++chain)
      numbers += 1 + static_cast<Index>(ChainStatistics::width(static_cast<std::size_t>(plan.dimension),
                                                               plan.keeps_covariance(round, chain)));
    if (q != rank && numbers > 0) sent += {1, 8 * numbers * replicas};
  }
  return sent;
}

Traffic estimate(const TemperingPlan& plan, int rank, int round) {
  const int ranks = plan.ranks;
  const Index chains = plan.chains(round), legs = std::ssize(plan.sizes[at(round)]);
  const BlockDeal dealt{chains, ranks};
  constexpr Index kCounts = 5;  // trips, restarts, evaluations, gradients, invalid ones
  Traffic sent = all_reduce_traffic(rank, ranks, static_cast<std::size_t>(kCounts), 8);
  sent += copies(ranks, static_cast<Index>(sizeof(ChainReport)) * (dealt.end(rank) - dealt.begin(rank)));
  if (chains == 1) return sent;
  sent += all_reduce_traffic(rank, ranks, static_cast<std::size_t>(2 * plan.options.ladders * (chains - 1)), 8);
  sent += gather(rank, 16 * TemperingPlan::scans(round) * plan.replicas(round, rank));
  sent += broadcast(ranks, rank, legs * static_cast<Index>(sizeof(Evidence)));
  sent += broadcast(ranks, rank, 8 * legs);     // barriers of the legs,
  return sent + 2 * broadcast(ranks, rank, 8);  // their sum and its error
}

/// What is learnt of a round for the next one.
Traffic adapt(const TemperingPlan& plan, int rank, int round) {
  const int ranks = plan.ranks;
  const BlockDeal dealt{plan.chains(round), ranks};
  const Index d = plan.dimension;
  const Index tuning = 2 * d + plan.step_sizes + 1 + (plan.covariance ? d * d : 0);
  Traffic sent = copies(ranks, 8 * tuning * (dealt.end(rank) - dealt.begin(rank)));
  if (plan.options.reference == TemperingReference::prior) return sent;
  const Index chain = plan.sizes[at(round)][0] - 1;
  const int owner = dealt.owner(chain);
  const Index fitted = 2 * d + 1 + (plan.keeps_covariance(round, chain) ? d * d : 0);
  return sent + broadcast(ranks, rank, 8, owner) + broadcast(ranks, rank, 8 * fitted, owner);
}

}  // namespace

Index TemperingPlan::chains(int round) const {
  const std::vector<Index>& legs = sizes[at(round)];
  return std::accumulate(legs.begin(), legs.end(), Index{0});
}

Index TemperingPlan::replicas(int round, int rank) const {
  const BlockDeal deal{options.ladders * chains(round), ranks};
  return deal.end(rank) - deal.begin(rank);
}

bool TemperingPlan::keeps_covariance(int round, Index chain) const {
  return covariance || (options.reference != TemperingReference::prior &&
                        static_cast<std::size_t>(dimension) <= detail::kCorrelatedUpTo &&
                        LadderPlan(sizes[at(round)]).is_target(chain));
}

std::vector<std::vector<Index>> ladder_sizes(const TemperingOptions& options, double barrier) {
  std::vector<std::vector<Index>> sizes{detail::first_sizes(options)};
  while (std::ssize(sizes) < options.rounds) {
    TemperingRound round;
    round.round = static_cast<int>(sizes.size());
    round.sizes = sizes.back();
    const std::size_t legs = round.sizes.size();
    round.leg_barriers.assign(legs, barrier / static_cast<double>(legs));
    round.rejections.assign(
        static_cast<std::size_t>(std::accumulate(round.sizes.begin(), round.sizes.end(), Index{0}) - 1), 0.0);
    sizes.push_back(detail::next_sizes(options, round));
  }
  return sizes;
}

TemperingPlan plan_tempering(int ranks, const Target& target, const Explorer& explorer, const TemperingOptions& options,
                             double barrier) {
  return {ranks,
          options,
          target.dimension(),
          target.constrained_size(),
          explorer.step_size_count(),
          explorer.wants_covariance(),
          ladder_sizes(options, barrier)};
}

TemperingTraffic& TemperingTraffic::operator+=(const TemperingTraffic& more) {
  start += more.start;
  round_end += more.round_end;
  estimate += more.estimate;
  adapt += more.adapt;
  swap_letters += more.swap_letters;
  swap_letters_most += more.swap_letters_most;
  statistics_most += more.statistics_most;
  return *this;
}

TemperingTraffic tempering_traffic(const TemperingPlan& plan, int rank, int round) {
  TemperingTraffic sent;
  if (plan.ranks == 1) return sent;
  if (round == 1) sent.start = all_reduce_traffic(rank, plan.ranks, static_cast<std::size_t>(plan.chains(1) * plan.step_sizes), 8);
  add_swaps(plan, rank, round, sent);
  sent.round_end = (rank == 0 ? plan.ranks - 1 : 1) * Traffic{1, kLetterBytes};
  sent.estimate = estimate(plan, rank, round);
  sent.statistics_most = statistics(plan, rank, round);
  if (round == plan.options.rounds) return sent;
  sent.adapt = adapt(plan, rank, round);
  sent.statistics_most += sent.statistics_most;
  return sent;
}

TemperingTraffic tempering_traffic(const TemperingPlan& plan, int rank) {
  TemperingTraffic sent;
  for (int round = 1; round <= plan.options.rounds; ++round) sent += tempering_traffic(plan, rank, round);
  return sent;
}

std::vector<Index> swap_letters(int ranks, Index ladders, std::span<const Index> chains, Index scan) {
  std::vector<Index> letters(static_cast<std::size_t>(ranks), 0);
  const Index size = std::ssize(chains) / ladders, pairs = size - 1;
  const BlockDeal replicas{std::ssize(chains), ranks}, homes{ladders * pairs, ranks};
  for (Index replica = 0; replica < std::ssize(chains); ++replica) {
    const Index chain = chains[static_cast<std::size_t>(replica)];
    const Index pair = chain % 2 == scan % 2 ? chain : chain - 1;
    if (pair < 0 || pair >= pairs) continue;
    const int holder = replicas.owner(replica), home = homes.owner(replica / size * pairs + pair);
    if (holder == home) continue;
    ++letters[static_cast<std::size_t>(holder)];
    ++letters[static_cast<std::size_t>(home)];
  }
  return letters;
}

TemperingMemory tempering_memory(const TemperingPlan& plan, int rank) {
  const int round = plan.options.rounds;
  const auto d = static_cast<double>(plan.dimension), chains = static_cast<double>(plan.chains(round));
  const auto replicas = static_cast<double>(plan.replicas(round, rank));
  const auto all = chains * static_cast<double>(plan.options.ladders);
  const auto scans = static_cast<double>(TemperingPlan::scans(round));
  const BlockDeal dealt{plan.chains(round), plan.ranks};
  double ladder = 0, mine = 0;  // records of one replica: of all chains, and of those that this rank joins
  for (Index chain = 0; chain < plan.chains(round); ++chain) {
    const auto record = 8 * static_cast<double>(ChainStatistics::width(static_cast<std::size_t>(plan.dimension),
                                                                       plan.keeps_covariance(round, chain)));
    ladder += record;
    if (chain >= dealt.begin(rank) && chain < dealt.end(rank)) mine += record;
  }
  const double tuning = 8 * (2 * d + (plan.covariance ? d * d : 0));
  TemperingMemory memory;
  memory.states = 8 * d * replicas;
  memory.statistics = ladder * replicas;
  memory.traces = 16 * scans * replicas;
  memory.tunings = tuning * chains;
  if (chains > 1) memory.estimating = memory.traces + (rank == 0 ? 2 * 16 * scans * all : 0);
  memory.learning = memory.statistics + 2 * mine * all + mine;
  memory.saving = memory.states + memory.statistics + memory.traces + memory.tunings;
  return memory;
}

}  // namespace tempera
