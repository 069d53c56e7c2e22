#include "drivers/commands/optimize/optimizing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/base/atomic_file.hpp"
#include "core/base/error.hpp"
#include "core/base/file_bytes.hpp"
#include "core/base/memory.hpp"
#include "core/base/option_json.hpp"
#include "distributed/bayesopt/optimization.hpp"
#include "distributed/communicator/gather_regions.hpp"
#include "distributed/communicator/objects.hpp"
#include "drivers/commands/optimize/optimize_problem.hpp"
#include "drivers/commands/optimize/optimize_report.hpp"
#include "drivers/commands/optimize/told_results.hpp"
#include "drivers/commands/optimize/trials_file.hpp"
#include "drivers/commands/optimize/warm_start_runs.hpp"
#include "drivers/session.hpp"
#include "drivers/standard_streams.hpp"

namespace tempera::drivers {

namespace {

using Json = nlohmann::ordered_json;

constexpr double kWayOut = 2;  // seconds: the end of the running commands, and of MPI

/// The options that change the result, as the journal remembers them. The budget may grow.
Json configuration_of(const OptionSchema& schema, const OptimizeProblem& problem) {
  Json values = options_to_json(schema)["values"];
  Json configuration;
  for (const char* name : {"command", "objective", "set", "scheduler", "batch", "surrogate", "acquisition",
                           "hyperparameters", "retries", "seed"})
    configuration[name] = values.at(name);
  if (values.at("scheduler") == "cma-es") configuration["population"] = values.at("population");
  configuration["direction"] = direction_of(problem);
  for (const char* name : {"warm-start", "warm-start-task"})
    if (!problem.sources.empty()) configuration[name] = values.at(name);
  return configuration;
}

/// What optimising does within the frame of its run. Lives on every rank.
class Optimizing {
 public:
  Optimizing(const Session& session, const OptimizeTask& task)
      : world_(session.world),
        task_(task),
        options_(task.options),
        start_bytes_(resident_bytes()),
        frame_(session, {"optimize", task.options.common, task.schema, task.start, task.resume}) {}

  RunFrame& frame() { return frame_; }
  /// What the manifest says of the end.
  int recorded(int status) const { return left_by_hand_ ? exit_status(Category::interrupted) : status; }

  int run() {
    frame_.open_folder();
    problem_.emplace(make_problem(options_));
    const RankLayout layout(options_.by_hand() ? 1 : world_.size(),
                            options_.by_hand() ? RankLayoutOptions{} : rank_options(options_));
    problem_->sources = find_sources(world_, *problem_, options_,
                                     task_.resume ? task_.resume->folder / "journal.jsonl" : std::filesystem::path());
    read_told_results();
    begin();
    std::string folder = frame_.folder() != nullptr ? frame_.folder()->path().string() : "";
    world_.broadcast_object(folder, 0);
    folder_ = folder;
    if (frame_.folder() != nullptr) trials_.emplace(*problem_);
    if (options_.by_hand()) return ask_and_tell();
    const auto evaluator = task_.trials != nullptr ? task_.trials->make_evaluator(folder_ / "trials")
                                                   : make_evaluator(*problem_, options_, folder_ / "trials");
    const auto team = std::make_shared<RankTeam>();
    const auto proposer = make_proposer(*problem_, options_, team);
    std::optional<OptimizationResult> result;
    if (world_.is_root() && layout.idle() > 0)
      frame_.log().note(idle_ranks_text(layout.idle(), world_.size(), options_.ranks_per_trial));
    frame_.work([&] {
      OptimizationOptions options = optimization_options();
      options.team = team;
      result.emplace(optimize(world_, problem_->space(), *proposer, *evaluator, options, observer()));
    });
    if (result->stopped) return frame_.leave(fmt::format("{} trials", result->scheduler.finished().size()));
    const auto growth = world_.all_reduce_value(peak_resident_bytes() - start_bytes_, Reduction::maximum);
    auto regions = gather_regions(world_);
    if (world_.is_root())
      deliver({options_, *problem_, *result, layout.groups() * evaluator->slots(), world_.size(), layout.idle(), growth,
               std::move(regions)});
    return 0;
  }

 private:
  /// Trials: killed, or from checkpoints later.
  bool ends_at_once() const { return options_.of_command() || task_.trials != nullptr; }

  void begin() {
    Json input = nullptr;
    if (problem_->file)
      input = {{"path", std::filesystem::absolute(options_.space).lexically_normal().string()},
               {"sha256", problem_->sha256}};
    frame_.begin({{"input", std::move(input)}});
    if (frame_.folder() == nullptr || !problem_->file) return;
    space_text_ = file_bytes(options_.space);
    write_file_atomically(*frame_.folder() / "space.toml", space_text_);
  }

  /// Before the run is touched: a file that is wrong leaves it as it was.
  void read_told_results() {
    if (!world_.is_root() || options_.tell.empty()) return;
    folder_ = task_.resume->folder;
    const RunRecord run(problem_->space(), optimization_options());
    told_ = read_results(run.scheduler(), *problem_, options_.tell);
  }

  OptimizationOptions optimization_options() const {
    OptimizationOptions options;
    options.scheduler = scheduler_options(options_);
    options.ranks = rank_options(options_);
    options.seed = static_cast<std::uint64_t>(options_.common.seed);
    options.journal = folder_ / "journal.jsonl";
    options.configuration = configuration_of(task_.schema, *problem_);
    if (task_.trials != nullptr) options.configuration["trials"] = task_.trials->description;
    options.sources = problem_->sources;
    return options;
  }

  OptimizationObserver observer() {
    OptimizationObserver observer;
    observer.stop_requested = [this] { return frame_.has_to_leave(kWayOut + (ends_at_once() ? 0 : longest_)); };
    observer.resumed = [this](const Scheduler& scheduler, double seconds) { go_on(scheduler, seconds); };
    observer.counted = [this](const Scheduler& scheduler, const Trial& trial) { note(scheduler, trial); };
    observer.folder_was_lost = [this](const Scheduler& scheduler) { return write_lost_files(scheduler); };
    return observer;
  }

  /// What came of trials is taken, points are printed, and that is all until the next time. Rank 0 does it.
  int ask_and_tell() {
    bool over = false;
    frame_.work([&] {
      if (!world_.is_root()) return;
      RunRecord run(problem_->space(), optimization_options());
      go_on(run.scheduler(), run.seconds_before());
      tell_results(run, told_);
      std::string lines;
      const auto print = [&](const std::vector<TrialRequest>& requests) {
        for (const TrialRequest& request : requests) lines += request_line(*problem_, request);
      };
      const std::uint64_t seed = optimization_options().seed;
      if (options_.ask_again) print(asked_trials(run.scheduler(), seed));
      if (options_.ask) {
        const auto proposer = make_proposer(*problem_, options_);
        print(ask_trials(run, *proposer, seed, *options_.ask));
      }
      trials_->begin(folder_ / "trials.jsonl", run.scheduler());
      over = run.scheduler().over();
      if (!lines.empty()) print_result(lines);
      if (!over) return;
      const OptimizationResult result{false, run.scheduler(), run.entries(), {}, run.seconds()};
      deliver({options_, *problem_, result, 0, world_.size(), 0});
    });
    // Without a result yet it is a run that was stopped: it can go on.
    left_by_hand_ = world_.broadcast_value(over ? 0 : 1, 0) != 0;
    return 0;
  }

  // --- on rank 0 ----------------------------------------------------------------------------------------------------

  void go_on(const Scheduler& scheduler, double seconds) {
    const auto trials = scheduler.finished().size();
    frame_.go_on_from_journal(seconds, {{"step", "resume"}, {"trials", trials}, {"mpi_ranks", world_.size()}},
                              fmt::format("going on after {} trials", trials));
    trials_->begin(folder_ / "trials.jsonl", scheduler);
  }

  bool write_lost_files(const Scheduler& scheduler) {
    if (!frame_.was_lost()) return false;
    if (problem_->file) write_file_atomically(folder_ / "space.toml", space_text_);
    trials_->begin(folder_ / "trials.jsonl", scheduler);
    return true;
  }

  void note(const Scheduler& scheduler, const Trial& trial) {
    const auto count = std::ssize(scheduler.finished());
    trials_->add(scheduler, trial);
    longest_ = std::max(longest_, trial.result.seconds);
    Json record = {{"step", "trial"}, {"iteration", count}, {"number", trial.number}};
    std::string line = fmt::format("trial {} of {}", count, options_.budget);
    if (trial.result.status == TrialStatus::ok) {
      record["value"] = problem_->natural(trial.result.value);
      line += fmt::format("  value {:.6g}", problem_->natural(trial.result.value));
    } else {
      record["status"] = name(trial.result.status);
      line += fmt::format("  {} {}", name(trial.result.status), trial.result.reason);
    }
    if (scheduler.best() >= 0) {
      const double best = scheduler.finished()[static_cast<std::size_t>(scheduler.best())].result.value;
      record["best_value"] = problem_->natural(best);
      line += fmt::format("  best {:.6g}", problem_->natural(best));
    }
    frame_.step(std::move(record), line);
  }

  void deliver(const OptimizeFacts& facts) {
    frame_.deliver(optimize_summary(facts), [&] { return optimize_text(facts, folder_.string()); });
    const Scheduler& scheduler = facts.result.scheduler;
    const auto trials = std::ssize(scheduler.finished());
    const auto reasons = failures_of(facts);
    if (scheduler.too_many_failures())
      throw Error(Category::numerical, "--max-failures",
                  fmt::format("{} of {} trials failed, {} may: {}", scheduler.failures(), trials,
                              *options_.max_failures, reasons.front()),
                  fmt::format("mend that, then 'tempera resume {} --max-failures N' goes on", folder_.string()));
    if (scheduler.failures() == trials)
      throw Error(
          Category::numerical, options_.of_command() ? "--command" : "--objective",
          fmt::format("all {} trials failed: {}", trials, reasons.front()),
          options_.of_command() ? fmt::format("{} has what each of them printed", (folder_ / "trials").string()) : "");
  }

  const Communicator& world_;
  const OptimizeTask& task_;
  const OptimizeOptions& options_;
  std::int64_t start_bytes_;
  std::optional<OptimizeProblem> problem_;
  std::filesystem::path folder_;
  std::optional<TrialsFile> trials_;
  std::string space_text_;
  double longest_ = 0;  // seconds of a trial
  std::vector<ToldTrial> told_;
  bool left_by_hand_ = false;
  RunFrame frame_;
};

}  // namespace

int run_optimizing(const Launch& launch, const OptimizeTask& task) {
  const CommonOptions& common = task.options.common;
  return run_session(launch, [&](const Session& session) {
    begin_computation(session.world, launch, common.threads, common.quiet);
    return optimize(session, task);
  });
}

int optimize(const Session& session, const OptimizeTask& task) {
  Optimizing optimizing(session, task);
  return run_framed(session.world, optimizing);
}

}  // namespace tempera::drivers
