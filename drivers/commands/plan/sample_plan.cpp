#include "drivers/commands/plan/sample_plan.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "core/base/memory.hpp"
#include "core/base/random_stream.hpp"
#include "core/sampling/explorers/explorers.hpp"
#include "core/sampling/schedule.hpp"
#include "distributed/tempering/block_deal.hpp"
#include "distributed/tempering/distributed_cells.hpp"
#include "distributed/tempering/draw_summary.hpp"
#include "distributed/tempering/held_out_prediction.hpp"
#include "drivers/commands/plan/placement.hpp"
#include "drivers/commands/plan/scaling.hpp"

namespace tempera::drivers {

namespace {

using Clock = std::chrono::steady_clock;

constexpr double kTrialSeconds = 0.5;
constexpr int kMostTrialRounds = 12;
// Growth of a run of next to nothing, measured: the engine's code and MPI's buffers, and with those the file of draws.
constexpr double kEngineBytes = 3.75e6, kFilesBytes = 9.2e6;
constexpr double kMebibyte = 1024 * 1024;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

Index total(const std::vector<Index>& values) {
  Index sum = 0;
  for (const Index value : values) sum += value;
  return sum;
}

/// Latency and bandwidth between two ranks of a job of so many.
/// Draws of a stream in the last round.
Index draws_of(const TemperingPlan& plan) {
  return (TemperingPlan::scans(plan.options.rounds) + plan.options.thin - 1) / plan.options.thin;
}

/// Rank 0, which collects, and one in the middle of those that hold replicas: the others are much like them.
std::vector<int> telling_ranks(const TemperingPlan& plan) {
  const BlockDeal replicas{plan.options.ladders * plan.chains(plan.options.rounds), plan.ranks};
  return {0, replicas.owner(replicas.count / 2)};
}

/// What the end of the run sends from one rank: summaries of the parameters and what is told beside them.
Traffic results_traffic(const TemperingPlan& plan, const SampleProblem& problem, const Explorer& explorer, int rank) {
  const int P = plan.ranks;
  const auto& sizes = plan.sizes.back();
  const Index streams = plan.options.ladders * streams_of_ladder(plan.options, sizes), draws = draws_of(plan);
  const auto dealt = [&](Index bytes) {
    return dealt_columns_traffic(P, rank, plan.constrained_size, streams * draws, bytes);
  };
  const auto from_root = [&](Index bytes) {
    return rank == 0 ? copies_traffic(P, static_cast<std::size_t>(bytes)) : Traffic{};
  };
  Traffic sent = dealt(sizeof(ParameterSummary));
  if (plan.options.ladders > 1) sent += dealt(sizeof(double));
  if (plan.options.keep_all && sizes.size() == 1 && sizes[0] > 1)
    sent += plan.options.ladders * from_root(8 * sizes[0] * draws) + dealt(sizeof(WeightedSummary));
  if (explorer.has_energy()) sent += from_root(8);
  if (!problem.posterior || problem.posterior->held.empty()) return sent;
  const Index record = (plan.constrained_size + kDrawStatistics) * streams;
  const Index block = std::max<Index>(1, HeldOutPrediction::kNumbersAtATime / record);
  for (Index first = 0; first < draws; first += block) sent += from_root(8 * std::min(block, draws - first) * record);
  const BlockDeal cells{problem.posterior->held.cells.size(), P};
  const auto mine = static_cast<std::size_t>(8 * (cells.end(rank) - cells.begin(rank)));
  return sent + 2 * copies_traffic(P, mine);
}

/// Of draws on rank 0: what waits to be written, then what summaries take at the end, then the file of draws.
DrawsMemory draws_memory(const TemperingPlan& plan) {
  const auto streams = static_cast<double>(plan.options.ladders * streams_of_ladder(plan.options, plan.sizes.back()));
  const double length = streams * static_cast<double>(draws_of(plan));
  const auto width = static_cast<double>(plan.constrained_size + kDrawStatistics);
  const double all = 8 * length * width;
  const double mine = std::ceil(static_cast<double>(plan.constrained_size) / plan.ranks);
  const double columns = 8 * length * std::min(mine, std::max(1.0, std::floor(4 * kMebibyte / length)));
  DrawsMemory memory;
  memory.waiting = std::min(2 * kMebibyte, all / plan.ranks);
  memory.summaries = columns + std::min(4 * kMebibyte, all) + 60 * length;
  memory.file = std::min(all, std::max(8 * kMebibyte, 8 * streams * width));
  return memory;
}

/// Of the data in blocks, on the rank of a group that holds the most.
double data_memory(const CpPosterior& posterior, int group) {
  double fullest = 0, rows = 0, cells = 0;
  for (const CellBlocks* blocks : {&posterior.model().data().cells, &posterior.model().data().held}) {
    for (const auto& mode : blocks->rows)
      for (const auto& block : mode) rows += 4 * static_cast<double>(block.size());
    cells += static_cast<double>(blocks->cells);
  }
  for (int rank = 0; rank < group; ++rank) {
    double mine = 0;
    for (const CellBlocks* blocks : {&posterior.model().data().cells, &posterior.model().data().held})
      for (const auto& mode : blocks->trees)
        for (Index b = first_block_on(rank, group, blocks->blocks); b < first_block_on(rank + 1, group, blocks->blocks);
             ++b)
          mine += static_cast<double>(mode[static_cast<std::size_t>(b)].bytes());
    fullest = std::max(fullest, mine);
  }
  const auto order = static_cast<double>(posterior.model().data().cells.order());
  const double building = cells / group * (8 * (order + 1) + 2 * sizeof(KeyedCell));
  const auto numbers = static_cast<double>(piece_sizes(posterior.model(), 0, posterior.model().blocks(), true) +
                                           5 * posterior.target->constrained_size());
  return fullest + rows + std::max(building, 2 * 8 * numbers);  // the target and its clone
}

ScanTime time_of(const TemperingPlan& plan, const SampleLayout& layout, const MeasuredSteps& steps,
                 const std::optional<GroupTraffic>& traffic, const Machine& machine) {
  const Placement link = placement_of(machine, layout.ranks, std::max(1, plan.options.threads));
  const int round = plan.options.rounds, G = layout.smallest_group;
  const auto scans = static_cast<double>(TemperingPlan::scans(round));
  const double turns = std::ceil(static_cast<double>(layout.most_replicas) / std::max(1, plan.options.threads));
  ScanTime time;
  if (traffic) {
    const double sent = static_cast<double>(traffic->leader_gradient.bytes) / std::max(1, G - 1) * steps_of(G) +
                        static_cast<double>(traffic->others_gradient.bytes);
    if (sent > 0)
      time.density = static_cast<double>(layout.most_replicas) * steps.evaluations_per_step *
                     ((steps_of(G) + 1) * link.latency + sent / link.bandwidth);
  }
  time.exploring = turns * steps.seconds_per_step() / G + time.density;
  if (plan.ranks == 1) return time;
  TemperingTraffic own;
  for (const int rank : telling_ranks(plan)) {
    const TemperingTraffic sent = tempering_traffic(plan, rank, round);
    if (sent.swap_letters >= own.swap_letters) own = sent;
  }
  if (own.swap_letters > 0)  // an offer and its answer, one after the other; further letters of the rank overlap
    time.swaps = 2 * link.latency + own.swap_letters / scans * (0.5 * link.latency + 24 / link.bandwidth);
  const double gathered = 16 * scans * static_cast<double>(plan.options.ladders * plan.chains(round));
  const double messages = 20 * steps_of(plan.ranks);
  time.round_end = (messages * link.latency +
                    (gathered + static_cast<double>(own.exact().bytes + own.statistics_most.bytes)) / link.bandwidth) /
                   scans;
  return time;
}

class Planning {
 public:
  Planning(const SampleOptions& options, const SampleProblem& problem, const Machine& machine, SamplePlan& plan)
      : options_(options), problem_(problem), machine_(machine), plan_(plan) {}

  /// The same run on another number of ranks. @param times  as many copies
  TemperingPlan on(const SampleLayout& layout, Index times = 1) const {
    TemperingPlan tempering = plan_.tempering;
    tempering.ranks = layout.groups;
    tempering.options.ladders *= times;
    return tempering;
  }
  std::optional<GroupTraffic> traffic_in(const SampleLayout& layout) const {
    if (!problem_.posterior || layout.largest_group == 1) return std::nullopt;
    return group_traffic(problem_.posterior->model(), layout.largest_group);
  }
  Index replicas() const { return plan_.tempering.options.ladders * plan_.tempering.chains(options_.rounds); }

  void add_scaling(int ranks) {
    for (const int p : ranks_of_table(ranks)) {
      const SampleLayout layout = sample_layout(p, options_.ranks_per_replica, replicas());
      ScalingRow row{p, time_of(on(layout), layout, plan_.steps, traffic_in(layout), machine_)};
      if (!plan_.scaling.empty()) row.speedup = plan_.scaling.front().time.total() / row.time.total();
      row.efficiency = row.speedup / p;
      plan_.scaling.push_back(row);
    }
    for (const int p : ranks_of_table(ranks)) {
      const SampleLayout layout = sample_layout(p, options_.ranks_per_replica, p * replicas());
      ScalingRow row{p, time_of(on(layout, p), layout, plan_.steps, traffic_in(layout), machine_)};
      if (!plan_.weak.empty()) row.efficiency = plan_.weak.front().time.total() / row.time.total();
      row.speedup = p * row.efficiency;
      plan_.weak.push_back(row);
    }
  }

  void add_traffic(const Explorer& explorer) {
    const TemperingPlan& tempering = plan_.tempering;
    if (tempering.ranks == 1) return;
    for (int rank = 0; rank < tempering.ranks; ++rank) {
      const TemperingTraffic sent = tempering_traffic(tempering, rank);
      const Traffic exact = sent.exact();
      plan_.exact_all += exact;
      if (exact.bytes > plan_.exact_most.bytes) plan_.exact_most = exact;
      plan_.swap_letters_all += sent.swap_letters;
      plan_.statistics_all += sent.statistics_most;
      plan_.results_all += results_traffic(tempering, problem_, explorer, rank);
      plan_.swap_letters_a_scan += tempering_traffic(tempering, rank, options_.rounds).swap_letters;
    }
    plan_.swap_letters_a_scan /= static_cast<double>(TemperingPlan::scans(options_.rounds));
  }

  void add_memory() {
    plan_.draws = draws_memory(plan_.tempering);
    if (problem_.posterior) plan_.target_bytes = data_memory(*problem_.posterior, plan_.layout.smallest_group);
    double most = 0;
    for (const int rank : telling_ranks(plan_.tempering)) {
      const TemperingMemory memory = tempering_memory(plan_.tempering, rank);
      if (const double bytes = plan_.memory_bytes_of(memory, rank == 0); bytes > most) {
        most = bytes;
        plan_.memory = memory;
      }
    }
    plan_.memory_bytes = most;
    const TemperingPlan& t = plan_.tempering;
    plan_.draws_file_bytes =
        8.0 * static_cast<double>(t.options.ladders * streams_of_ladder(t.options, t.sizes.back()) * draws_of(t) *
                                  (t.constrained_size + kDrawStatistics));
  }

  /// Equal rejection of every pair; independent explorations.
  void add_round_trips() {
    const TemperingPlan& t = plan_.tempering;
    const auto draws = static_cast<double>(TemperingPlan::scans(options_.rounds) * t.options.ladders);
    if (!plan_.barrier || t.chains(options_.rounds) < 2) return;
    const Index pairs = total(t.sizes.back()) - std::ssize(t.sizes.back());
    plan_.rejection = std::min(1.0, *plan_.barrier / static_cast<double>(pairs));
    plan_.round_trips =
        draws * ideal_round_trip_rate(std::vector<double>(static_cast<std::size_t>(pairs), plan_.rejection));
    plan_.round_trips_limit = draws / (2 + 2 * *plan_.barrier);
  }

 private:
  const SampleOptions& options_;
  const SampleProblem& problem_;
  const Machine& machine_;
  SamplePlan& plan_;
};

}  // namespace

double SamplePlan::memory_bytes_of(const TemperingMemory& of_rank, bool collects) const {
  const double engine =
      kEngineBytes + std::max({of_rank.estimating, of_rank.learning, of_rank.saving, draws.summaries});
  return of_rank.kept() + target_bytes + draws.waiting + std::max(engine, collects ? kFilesBytes + draws.file : 0);
}

MeasuredSteps measure_steps(const Target& target, const Explorer& explorer, const TemperingOptions& options) {
  TemperingOptions trial = options;
  trial.ladders = trial.threads = 1;
  trial.rounds = kMostTrialRounds;
  trial.keep_all = false;
  const auto begin = Clock::now();
  auto before = begin;
  double seconds = 0;
  TemperingObserver observer;
  observer.enough = [&](const TemperingRound&, const DrawStore&) {
    seconds = seconds_since(before);
    before = Clock::now();
    return seconds_since(begin) + 2 * seconds > kTrialSeconds;  // the next one takes twice as long
  };
  const TemperingResult result = sample_by_tempering(Communicator::self(), target, explorer, trial, observer);
  const TemperingRound& last = result.rounds.back();
  const auto evaluations = static_cast<double>(std::max<Index>(1, last.evaluations));
  return {seconds / evaluations, evaluations / static_cast<double>(last.scans * total(last.sizes)),
          last.schedule.size() > 1 && last.round > 3 ? last.barrier : std::nan(""), true};
}

MeasuredSteps measure_evaluations(const Target& target, std::uint64_t seed) {
  const auto own = target.clone();
  std::vector<double> u(static_cast<std::size_t>(own->dimension()), 0.0);
  RandomStream stream(seed, "plan-evaluation");
  if (own->samples_reference()) own->sample_reference(stream, u);
  const auto begin = Clock::now();
  Index count = 0;
  do {
    own->evaluate(u);
    ++count;
  } while (seconds_since(begin) < kTrialSeconds);
  return {seconds_since(begin) / static_cast<double>(count), 1, std::nan(""), false};
}

SampleLayout sample_layout(int ranks, int ranks_per_replica, Index replicas) {
  SampleLayout layout;
  layout.ranks = ranks;
  layout.groups = std::max(1, ranks / ranks_per_replica);
  layout.smallest_group = ranks / layout.groups;
  layout.largest_group = (ranks + layout.groups - 1) / layout.groups;
  layout.idle_groups = static_cast<int>(std::max<Index>(0, layout.groups - replicas));
  layout.most_replicas = (replicas + layout.groups - 1) / layout.groups;
  layout.least_replicas = std::max<Index>(1, replicas / layout.groups);
  return layout;
}

int tight_ranks(const SampleLayout& layout, int ranks_per_replica, Index replicas) {
  const Index groups = (replicas + layout.most_replicas - 1) / layout.most_replicas;
  return static_cast<int>(groups) * ranks_per_replica;
}

GroupTraffic group_traffic(const BlockModel& model, int group) {
  GroupTraffic traffic;
  if (group == 1 || first_block_on(1, group, model.blocks()) == model.blocks()) return traffic;
  const auto parameters = static_cast<std::size_t>(ParameterLayout(model.parameters()).constrained_size());
  traffic.leader_value = traffic.leader_gradient = copies_traffic(group, 8 * (1 + parameters));
  for (int rank = 1; rank < group; ++rank)
    for (const bool gradient : {false, true}) {
      const Index numbers = 1 + piece_sizes(model, first_block_on(rank, group, model.blocks()),
                                            first_block_on(rank + 1, group, model.blocks()), gradient);
      (gradient ? traffic.others_gradient : traffic.others_value) +=
          part_traffic(static_cast<std::size_t>(8 * numbers));
    }
  return traffic;
}

SamplePlan plan_sample(const SampleOptions& options, const SampleProblem& problem, int ranks,
                       std::optional<double> barrier, const Machine& machine) {
  SamplePlan plan;
  const TemperingOptions tempering = tempering_options(options, problem.target());
  plan.what = options.sampled();
  plan.explorer = explorer_name(options, problem.target());
  plan.of_tensor = options.of_tensor();
  plan.barrier = barrier;
  const auto explorer = make_explorer(plan.explorer);
  // Without a barrier a ladder that follows it is taken to stay as it begins.
  const Index first = tempering.reference == TemperingReference::two_legs ? 2 : 1;
  const double followed = barrier.value_or(3.5 * static_cast<double>(first));
  plan.tempering = plan_tempering(1, problem.target(), *explorer, tempering, followed);
  // The trial of a ladder that does not fit here would end this process.
  const double trial = tempering_memory(plan.tempering, 0).most();
  plan.steps = trial < available_memory() / 4 ? measure_steps(problem.target(), *explorer, tempering)
                                              : measure_evaluations(problem.target(), tempering.seed);
  Planning planning(options, problem, machine, plan);
  plan.layout = sample_layout(ranks, options.ranks_per_replica, planning.replicas());
  plan.tempering = planning.on(plan.layout);
  plan.group = planning.traffic_in(plan.layout);
  planning.add_traffic(*explorer);
  planning.add_memory();
  planning.add_round_trips();
  planning.add_scaling(ranks);
  return plan;
}

}  // namespace tempera::drivers
