// What handing out tasks costs, with tasks that only sleep; under mpirun. Every figure is from the clocks of the ranks that
// work, and a task that only sleeps needs no processor, so that more ranks than processors do as well.
//
// part=overhead: tasks of `seconds` each on one rank: what their ranks did not sleep, as a share of what they slept.
// part=gaps: from the end of a task to the begin of the next one on the same ranks, for groups of each of `sizes`.
// part=idle: processor time of ranks without work, of the master and of the others, while one rank sleeps.
// part=busy: tasks of log-normal times (mean `mean`, sigma `spread`): share of the time in which the ranks slept, until
//            nothing is left to be begun.
//   mpirun -n 4 master_bench tasks=10000 seconds=0.01 part=overhead,gaps,idle
//   mpirun -n 8 master_bench part=busy several=1000 mean=0.1
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <numeric>
#include <thread>

#include "core/base/random_stream.hpp"
#include "distributed/communicator/environment.hpp"
#include "distributed/tasks/run_tasks.hpp"
#include "tests/bench/bench.hpp"
#include "tests/bench/mpi_timing.hpp"

namespace {

using namespace tempera;
using namespace tempera::bench;

/// Tasks of given lengths, all ready at once.
class Sleeps : public TaskSource {
 public:
  Sleeps(std::vector<double> seconds, int ranks) {
    for (const double length : seconds)
      tasks_.push_back({.number = std::ssize(tasks_), .ranks = ranks, .order = to_blob(length)});
    left_ = std::ssize(tasks_);
  }
  std::vector<Task> ready() override { return std::exchange(tasks_, {}); }
  TaskFlow flow() override { return TaskFlow::finished; }
  void begun(Index, RankSpan, double) override {}
  void ended(Index, const TaskReport& report, double) override { left_ -= report.status == TaskStatus::done ? 1 : 0; }
  Index left() const { return left_; }

 private:
  std::vector<Task> tasks_;
  Index left_ = 0;
};

struct Nap {
  double begin, end;
};

/// What all ranks slept through.
struct Outcome {
  double wall = 0;                      ///< of the whole run
  double last_begin = 0;                ///< since the begin of the run
  std::vector<std::vector<Nap>> naps;   ///< by rank, since the begin of the run
  std::vector<double> processor_share;  ///< by rank: processor time in a second
  bool correct = false;                 ///< every task was done once, by as many ranks as it wanted

  double slept(double until) const {
    double sum = 0;
    for (const auto& of_rank : naps)
      for (const Nap& nap : of_rank) sum += std::max(0.0, std::min(nap.end, until) - nap.begin);
    return sum;
  }
};

double processor_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

Outcome run(const Communicator& world, const std::vector<double>& seconds, int ranks) {
  Sleeps source(world.is_root() ? seconds : std::vector<double>{}, ranks);
  std::vector<Nap> mine;
  mine.reserve(seconds.size());
  world.barrier();
  const double begin = seconds_now(), processor = processor_seconds();
  run_tasks(world, &source, [&](const std::string& order, const Communicator&) {
    const double from = seconds_now();
    std::this_thread::sleep_for(std::chrono::duration<double>(from_blob<double>(order)));
    mine.push_back({from - begin, seconds_now() - begin});
    return std::string();
  });
  Outcome outcome;
  outcome.wall = seconds_now() - begin;
  const double share = (processor_seconds() - processor) / outcome.wall;
  outcome.processor_share = world.all_gather(std::span(&share, 1));
  Index all = 0;
  for (int rank = 0; rank < world.size(); ++rank) {
    auto count = static_cast<Index>(mine.size());
    count = world.broadcast_value(count, rank);
    std::vector<Nap>& naps = outcome.naps.emplace_back(static_cast<std::size_t>(count));
    if (rank == world.rank()) naps = mine;
    world.broadcast(std::span(naps), rank);
    for (const Nap& nap : naps) outcome.last_begin = std::max(outcome.last_begin, nap.begin);
    all += count;
  }
  outcome.correct = all_of(world, source.left() == 0 || !world.is_root()) && all == ranks * std::ssize(seconds);
  return outcome;
}

std::vector<double> gaps(const Outcome& outcome) {
  std::vector<double> gaps;
  for (const auto& naps : outcome.naps)
    for (std::size_t k = 1; k < naps.size(); ++k) gaps.push_back(naps[k].begin - naps[k - 1].end);
  std::ranges::sort(gaps);
  return gaps;
}

double quantile(const std::vector<double>& sorted, double share) {
  return sorted.empty() ? 0 : sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1))];
}

class Bench {
 public:
  Bench(const Communicator& world, const Settings& settings)
      : world_(world), settings_(settings), workers_(worker_ranks(world.size())) {}

  void overhead() {
    const Outcome outcome = run(world_, lengths(settings_.integer("tasks"), settings_.number("seconds")), 1);
    const double slept = outcome.slept(outcome.wall), all = workers_ * outcome.wall;
    const std::vector<double> between = gaps(outcome);
    add(outcome.correct,
        fmt::format(
            "overhead: {} tasks of {:.3g} ms on {} ranks: {:.2f} s, {:.2f} % more than they slept; gaps: median "
            "{:.0f} us, 99 % within {:.0f} us; master {:.1f} % of a core",
            settings_.integer("tasks"), 1e3 * settings_.number("seconds"), world_.size(), outcome.wall,
            100 * (all / slept - 1), 1e6 * quantile(between, 0.5), 1e6 * quantile(between, 0.99),
            100 * outcome.processor_share.front()),
        {{"part", "overhead"},
         {"seconds", outcome.wall},
         {"overhead", all / slept - 1},
         {"median_gap_seconds", quantile(between, 0.5)},
         {"master_processor_share", outcome.processor_share.front()}});
  }

  void gaps_of_groups() {
    for (const Index size : settings_.integers("sizes")) {
      if (size > workers_) continue;
      for (const double seconds : settings_.numbers("gap_seconds")) {
        const auto tasks = static_cast<Index>(std::ceil(settings_.number("gap_time") / seconds)) * (workers_ / size);
        const Outcome outcome = run(world_, lengths(tasks, seconds), static_cast<int>(size));
        const std::vector<double> between = gaps(outcome);
        add(outcome.correct,
            fmt::format(
                "gaps: {} tasks of {:.3g} ms by groups of {}: median {:.0f} us, 90 % within {:.0f} us; master {:.1f} "
                "% of a core",
                tasks, 1e3 * seconds, size, 1e6 * quantile(between, 0.5), 1e6 * quantile(between, 0.9),
                100 * outcome.processor_share.front()),
            {{"part", "gaps"},
             {"ranks", size},
             {"task_seconds", seconds},
             {"median_gap_seconds", quantile(between, 0.5)},
             {"late_gap_seconds", quantile(between, 0.9)},
             {"master_processor_share", outcome.processor_share.front()}});
      }
    }
  }

  void idle() {
    if (world_.size() < 3) return;
    const Outcome outcome = run(world_, {settings_.number("idle_seconds")}, 1);
    double most = 0;
    for (int rank = 1; rank < world_.size(); ++rank)
      if (outcome.naps[static_cast<std::size_t>(rank)].empty())
        most = std::max(most, outcome.processor_share[static_cast<std::size_t>(rank)]);
    add(outcome.correct,
        fmt::format("idle: for {} s a rank without work takes {:.2f} % of a core at most, the master {:.2f} %",
                    settings_.number("idle_seconds"), 100 * most, 100 * outcome.processor_share.front()),
        {{"part", "idle"}, {"processor_share", most}, {"master_processor_share", outcome.processor_share.front()}});
  }

  void busy() {
    RandomStream random(static_cast<std::uint64_t>(settings_.integer("seed")), "master-bench", {});
    std::vector<double> seconds;
    const double spread = settings_.number("spread");
    for (Index k = 0; k < settings_.integer("several"); ++k)
      seconds.push_back(settings_.number("mean") * std::exp(spread * random.normal() - spread * spread / 2));
    const Outcome outcome = run(world_, seconds, 1);
    const double until_last = outcome.slept(outcome.last_begin) / (workers_ * outcome.last_begin);
    const double to_end = outcome.slept(outcome.wall) / (workers_ * outcome.wall);
    const std::vector<double> between = gaps(outcome);
    add(outcome.correct,
        fmt::format("busy: {} tasks of {:.3g} ms, spread {:.2g}, on {} ranks: {:.4f} of the time until the last one "
                    "begins, {:.4f} to the end; gaps: median {:.0f} us, 90 % within {:.0f} us",
                    seconds.size(), 1e3 * settings_.number("mean"), spread, world_.size(), until_last, to_end,
                    1e6 * quantile(between, 0.5), 1e6 * quantile(between, 0.9)),
        {{"part", "busy"}, {"busy_fraction", until_last}, {"busy_fraction_to_end", to_end}});
  }

  int finish() const {
    if (world_.is_root())
      std::cout << nlohmann::ordered_json{{"bench", "master"},
                                          {"settings", settings_.all()},
                                          {"ranks", world_.size()},
                                          {"lines", lines_},
                                          {"correct", correct_}}
                       .dump()
                << '\n';
    return correct_ ? 0 : 1;
  }

 private:
  static std::vector<double> lengths(Index count, double seconds) {
    return std::vector<double>(static_cast<std::size_t>(count), seconds);
  }
  void add(bool correct, const std::string& text, nlohmann::ordered_json line) {
    correct_ = correct_ && correct;
    line["correct"] = correct;
    lines_.push_back(std::move(line));
    if (world_.is_root()) std::cout << text << (correct ? "" : "  WRONG") << std::endl;
  }

  const Communicator& world_;
  const Settings& settings_;
  int workers_;
  nlohmann::ordered_json lines_ = nlohmann::ordered_json::array();
  bool correct_ = true;
};

}  // namespace

int main(int argc, char** argv) {
  const Settings settings(argc, argv,
                          {{"part", "overhead,gaps,idle,busy"},
                           {"tasks", "1000"},
                           {"seconds", "0.01"},
                           {"sizes", "1,2"},
                           {"gap_seconds", "0.01,0.2"},
                           {"gap_time", "3"},
                           {"idle_seconds", "5"},
                           {"several", "200"},
                           {"mean", "0.05"},
                           {"spread", "1"},
                           {"seed", "0"}});
  const MpiEnvironment environment(argc, argv);
  const Communicator world(MPI_COMM_WORLD);
  const std::vector<std::string> parts = settings.texts("part");
  const auto wants = [&](const char* part) { return std::ranges::find(parts, part) != parts.end(); };
  Bench bench(world, settings);
  if (wants("overhead")) bench.overhead();
  if (wants("gaps")) bench.gaps_of_groups();
  if (wants("idle")) bench.idle();
  if (wants("busy")) bench.busy();
  return bench.finish();
}
