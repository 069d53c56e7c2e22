// Many workers at once, trials that take log-normal times.
//
// part=clock: asynchronous proposals against batches of as many points as there are workers, on a simulated clock. The share of
// the time of the batches' whole budget after which the asynchronous median regret is as good as theirs at the end.
//   workers_bench part=clock problems=branin,hartmann6,levy:dim=4 budgets=64,96,96 seeds=15 workers=8
// part=answers: the optimisation itself with trials that only wait: how soon a free worker is answered, how busy they are.
//   workers_bench part=answers problems=hartmann6 budgets=200 workers=8 seconds=2
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <iostream>

#include "core/base/random_stream.hpp"
#include "core/bayesopt/gp_proposer.hpp"
#include "distributed/bayesopt/optimization.hpp"
#include "distributed/bayesopt/simulation.hpp"
#include "distributed/communicator/environment.hpp"
#include "tests/bench/bench.hpp"
#include "tests/bench/test_problem.hpp"

namespace {

using namespace tempera;
using namespace tempera::bench;

/// Of mean `seconds`.
double seconds_of_trial(double seconds, double spread, std::uint64_t seed, Index number) {
  RandomStream stream(seed, "workers-bench", {number});
  return seconds * std::exp(spread * stream.normal() - spread * spread / 2);
}

GpProposerOptions proposer_options(const Settings& settings, std::uint64_t seed) {
  GpProposerOptions options;
  options.seed = seed;
  const std::string& method = settings.text("hyperparameters");
  options.model.hyperparameters.method = method == "map"   ? HyperMethod::map
                                         : method == "mle" ? HyperMethod::mle
                                                           : HyperMethod::bayes;
  return options;
}

/// Regret after each result, with the time of the result.
struct Curve {
  std::vector<std::pair<double, double>> steps;
  double busy = 0;
  double end() const { return steps.back().first; }
  double at(double time) const {
    double regret = INFINITY;
    for (const auto& [when, value] : steps)
      if (when <= time) regret = value;
    return regret;
  }
};

/// @param until  of the clock; batches: their budget ends it
Curve simulated(const TestObjective& objective, const Settings& settings, std::uint64_t seed, Schedule schedule,
                Index budget, double until) {
  SchedulerOptions options;
  options.schedule = schedule;
  options.batch = settings.integer("workers");
  options.budget = budget;
  Scheduler scheduler(options);
  GpProposer proposer(objective.space(), proposer_options(settings, seed));
  SimulatedWorkers workers;
  workers.workers = settings.integer("workers");
  workers.proposing_seconds = settings.number("proposing");
  workers.seconds = [&](Index number, Index) {
    return seconds_of_trial(settings.number("seconds"), settings.number("spread"), seed, number);
  };
  workers.evaluate = [&](const Point& point, Index number, Index) {
    TrialResult result;
    result.value = objective.evaluate(point, seed, number);
    return result;
  };
  std::vector<JournalEntry> entries;
  simulate(scheduler, proposer, workers, entries, until);
  Curve curve;
  double least = INFINITY;
  for (const JournalEntry& entry : entries)
    if (const auto* result = std::get_if<ResultEvent>(&entry.event)) {
      if (result->result.value < least) least = result->result.value;
      curve.steps.emplace_back(entry.seconds, least - objective.optimum());
    }
  curve.busy = worker_use(entries).busy_fraction;
  return curve;
}

void compare(const std::string& problem, Index budget, const Settings& settings, nlohmann::ordered_json& lines) {
  const TestObjective objective = test_problem(problem);
  std::vector<Curve> together, at_once;
  std::vector<double> ends, last, busy_together, busy;
  for (Index k = 0; k < settings.integer("seeds"); ++k) {
    const auto seed = static_cast<std::uint64_t>(settings.integer("first") + k);
    together.push_back(simulated(objective, settings, seed, Schedule::batch, budget, INFINITY));
    ends.push_back(together.back().end());
    last.push_back(together.back().steps.back().second);
    busy_together.push_back(together.back().busy);
  }
  const double end = median(ends), goal = median(last);
  const auto median_at = [&](double time) {
    std::vector<double> regrets;
    for (const Curve& curve : at_once) regrets.push_back(curve.at(time));
    return median(regrets);
  };
  for (Index k = 0; k < settings.integer("seeds"); ++k) {
    const auto seed = static_cast<std::uint64_t>(settings.integer("first") + k);
    at_once.push_back(simulated(objective, settings, seed, Schedule::async, 4 * budget, 0.75 * end));
    busy.push_back(at_once.back().busy);
  }
  double reached = INFINITY;
  std::vector<double> times;
  for (const Curve& curve : at_once)
    for (const auto& [when, regret] : curve.steps) times.push_back(when);
  std::sort(times.begin(), times.end());
  for (const double time : times)
    if (median_at(time) <= goal) {
      reached = time;
      break;
    }
  std::cout
      << fmt::format(
             "{:20} {:4} trials  batch: regret {:9.3g} after {:7.0f} s, busy {:.2f}   async: as good after {:5.2f} of "
             "the time; after 0.7 of it {:9.3g}, busy {:.2f}",
             problem, budget, goal, end, median(busy_together), reached / end, median_at(0.7 * end), median(busy))
      << std::endl;
  lines.push_back({{"problem", problem},
                   {"budget", budget},
                   {"batch_regret", goal},
                   {"batch_seconds", end},
                   {"share_of_time", std::isfinite(reached) ? nlohmann::ordered_json(reached / end) : nullptr},
                   {"regret_at_0.7", median_at(0.7 * end)},
                   {"busy", median(busy)}});
}

/// Trials that wait.
class Waiting : public Evaluator {
 public:
  using Clock = std::chrono::steady_clock;
  Waiting(Index slots, std::function<double(Index)> seconds, std::function<double(const Point&, Index)> value)
      : slots_(slots), seconds_(std::move(seconds)), value_(std::move(value)) {}
  Index slots() const override { return slots_; }
  void begin(const TrialRequest& request) override {
    const auto now = Clock::now();
    running_.push_back(
        {request, now,
         now + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds_(request.number)))});
  }
  std::optional<TrialAnswer> poll() override {
    const auto now = Clock::now();
    for (std::size_t k = 0; k < running_.size(); ++k) {
      if (now < running_[k].end) continue;
      const Running trial = running_[k];
      running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(k));
      TrialAnswer answer{trial.request.number, trial.request.attempt, {}};
      answer.result.value = value_(trial.request.point, trial.request.number);
      answer.result.seconds = std::chrono::duration<double>(now - trial.begin).count();
      return answer;
    }
    return std::nullopt;
  }
  void cancel() override { running_.clear(); }

 private:
  struct Running {
    TrialRequest request;
    Clock::time_point begin, end;
  };
  Index slots_;
  std::function<double(Index)> seconds_;
  std::function<double(const Point&, Index)> value_;
  std::vector<Running> running_;
};

void answers(const Communicator& world, const std::string& problem, Index budget, const Settings& settings,
             nlohmann::ordered_json& lines) {
  const TestObjective objective = test_problem(problem);
  const auto seed = static_cast<std::uint64_t>(settings.integer("first"));
  GpProposer proposer(objective.space(), proposer_options(settings, seed));
  Waiting evaluator(
      settings.integer("workers"),
      [&](Index number) {
        return seconds_of_trial(settings.number("seconds"), settings.number("spread"), seed, number);
      },
      [&](const Point& point, Index number) { return objective.evaluate(point, seed, number); });
  OptimizationOptions options;
  options.scheduler.budget = budget;
  const OptimizationResult result = optimize(world, objective.space(), proposer, evaluator, options);
  if (!world.is_root()) return;
  std::vector<double> proposing;
  double least = INFINITY;
  for (const JournalEntry& entry : result.events)
    if (const auto* event = std::get_if<ProposeEvent>(&entry.event)) proposing.push_back(event->proposing_seconds);
  for (const Trial& trial : result.scheduler.finished()) least = std::min(least, trial.result.value);
  const WorkerUse& use = result.use;
  std::cout << fmt::format(
                   "{:20} {:4} trials of {:.2g} s on {} workers  answers: median {:.2f} ms, mean {:.2f} ms, 99 % "
                   "within {:.2f} "
                   "ms; busy {:.3f}; a proposal {:.0f} ms, at most {:.0f} ms; regret {:.2g}",
                   problem, budget, settings.number("seconds"), settings.integer("workers"),
                   1e3 * use.median_answer_seconds, 1e3 * use.mean_answer_seconds, 1e3 * use.late_answer_seconds,
                   use.busy_fraction, 1e3 * median(proposing),
                   1e3 * *std::max_element(proposing.begin(), proposing.end()), least - objective.optimum())
            << std::endl;
  lines.push_back({{"problem", problem},
                   {"budget", budget},
                   {"median_answer_seconds", use.median_answer_seconds},
                   {"mean_answer_seconds", use.mean_answer_seconds},
                   {"late_answer_seconds", use.late_answer_seconds},
                   {"busy", use.busy_fraction}});
}

}  // namespace

int main(int argc, char** argv) {
  const Settings settings(argc, argv,
                          {{"part", "clock,answers"},
                           {"problems", "branin"},
                           {"budgets", "40"},
                           {"seeds", "3"},
                           {"first", "0"},
                           {"workers", "8"},
                           {"seconds", "1"},
                           {"spread", "0.7"},
                           {"proposing", "0.05"},
                           {"hyperparameters", "map"}});
  const MpiEnvironment environment(argc, argv);
  const Communicator world(MPI_COMM_WORLD);
  nlohmann::ordered_json lines = nlohmann::ordered_json::array();
  const std::vector<std::string> problems = settings.texts("problems"), parts = settings.texts("part");
  const std::vector<Index> budgets = settings.integers("budgets");
  const auto wants = [&](const char* part) { return std::find(parts.begin(), parts.end(), part) != parts.end(); };
  for (std::size_t k = 0; k < problems.size(); ++k) {
    const Index budget = budgets[std::min(k, budgets.size() - 1)];
    if (wants("clock") && world.is_root()) compare(problems[k], budget, settings, lines);
    if (wants("answers")) answers(world, problems[k], budget, settings, lines);
  }
  if (world.is_root())
    std::cout << nlohmann::ordered_json{{"bench", "workers"}, {"settings", settings.all()}, {"lines", lines}}.dump()
              << '\n';
  return 0;
}
