#include "drivers/commands/optimize/optimize_options.hpp"

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/bayesopt/acquisition.hpp"
#include "core/bayesopt/objectives.hpp"
#include "drivers/time_limit.hpp"

namespace tempera::drivers {

namespace {

std::vector<std::string> objective_names() {
  std::vector<std::string> names;
  for (const ObjectiveDescription& objective : describe_objectives()) names.push_back(objective.name);
  return names;
}

void declare_problem(OptionSchema& schema, OptimizeOptions& options) {
  schema.group("Problem");
  schema.text("command", options.command)
      .metavar("\"…\"")
      .help(
          "program to run for every trial: its point as a JSON object on standard input and in place of {name}, its "
          "value as the last line of standard output (`tempera help optimization`)");
  schema.text("objective", options.objective)
      .metavar("NAME")
      .proposals(objective_names())
      .help("built-in objective, on its own space; `tempera help objectives` lists them with their settings");
  schema.texts("set", options.settings).metavar("KEY=VALUE").help("a setting of the built-in objective");
}

void declare_search(OptionSchema& schema, OptimizeOptions& options) {
  schema.group("Search");
  schema.integer("budget", options.budget).minimum(1).help("trials, failed ones included");
  schema.choice("scheduler", options.scheduler, {"async", "batch", "cma-es", "random", "sobol"})
      .help(
          "async: a worker that is free gets a new point at once; batch: points are proposed together, whatever the "
          "number of workers; cma-es: evolution, for cheap trials by the thousand; random, sobol: points that no "
          "result matters to");
  schema.integer("batch", options.batch).minimum(1).help("points proposed together (--scheduler batch, cma-es)");
  schema.integer("population", options.population)
      .minimum(4)
      .maximum(1 << 20)
      .absent("4 + 3 ln parameters")
      .help("points of a generation (--scheduler cma-es); twice as many after each restart");
  schema.choice("surrogate", options.surrogate, {"gp"}).help("model of the values: gp: exact Gaussian processes");
  schema.text("acquisition", options.acquisition)
      .metavar("log-ei|ei|pi|ucb[:BETA]|thompson")
      .proposals({"log-ei", "ei", "pi", "ucb", "thompson"})
      .help("what is maximised to choose a point: improvement, its probability, optimism, or a draw of the model");
  schema.choice("hyperparameters", options.hyperparameters, {"bayes", "map", "mle"})
      .help("of the model: draws from their posterior, its maximum, or that of the likelihood (much faster)");
  schema.integer("model-ranks", options.model_ranks)
      .minimum(0)
      .maximum(1 << 20)
      .help("MPI ranks that compute the model for rank 0, which else does it beside serving");
  schema.texts("warm-start", options.warm_start)
      .metavar("RUN[,RUN…]")
      .names(PathKind::folder)
      .help("runs of tempera optimize to learn from; parameters are matched by name");
  schema.choice("warm-start-task", options.warm_start_task, {"other", "same"})
      .help(
          "other: the values of those runs only tell where to look; same: they are values of this very task, and count "
          "as if this run had found them");
}

void declare_trials(OptionSchema& schema, OptimizeOptions& options) {
  schema.group("Trials");
  schema.duration("timeout", options.timeout)
      .above(0)
      .help("a command that takes longer is ended; the trial has failed");
  schema.integer("max-failures", options.max_failures)
      .minimum(0)
      .absent("none")
      .help("end the run when more trials have failed");
  schema.integer("retries", options.retries).minimum(0).help("further attempts of a trial whose command crashed");
  schema.integer("workers", options.workers)
      .minimum(1)
      .maximum(1024)
      .help(
          "commands that a group of --ranks-per-trial MPI ranks runs at once; rank 0 only proposes, unless it is "
          "alone");
  schema.integer("ranks-per-trial", options.ranks_per_trial)
      .minimum(1)
      .maximum(1 << 20)
      .help(
          "neighbouring MPI ranks that a trial takes: a C++ objective computes on all of them, a command is started on "
          "the first and told by TEMPERA_RANKS and TEMPERA_NODES");
  schema.integer("ask", options.ask)
      .minimum(1)
      .absent("none")
      .help("print so many points, a JSON object a line, and leave: the trials are run by somebody else");
  schema.flag("ask-again", options.ask_again)
      .help("print the points that --ask printed and that were not told yet, for when they were lost");
  schema.path("tell", options.tell)
      .metavar("FILE")
      .help("take results of such trials, a JSON object with its number a line, and leave, or go on with --ask");
}

void declare_all(OptionSchema& schema, OptimizeOptions& options) {
  declare_problem(schema, options);
  declare_search(schema, options);
  declare_trials(schema, options);
}

Error usage(const std::string& option, const std::string& what, const std::string& hint) {
  return {Category::usage, option, what, hint};
}

bool given(const OptionSchema& schema, const char* name) {
  return !schema.find(name)->set_by().empty();
}

}  // namespace

void declare(OptionSchema& schema, OptimizeOptions& options) {
  schema.example("mpirun -n 5 tempera optimize space.toml --command \"./train.sh --lr {lr}\" --budget 200");
  schema.positional("space", OptionKind::path, options.space)
      .metavar("SPACE.toml")
      .help("parameters, constraints and the objective of --command");
  declare_all(schema, options);
  declare_common_options(schema, options.common);
}

void declare_for_resume(OptionSchema& schema, OptimizeOptions& options) {
  declare_all(schema, options);
  declare_resume_options(schema, options.common);
}

void complete(const OptionSchema& schema, OptimizeOptions& options) {
  if (!options.tell.empty() && schema.command() == "optimize")
    throw usage("--tell", "a new run has asked for nothing", "give it to the run: tempera resume RUN --tell FILE");
  if (options.ask_again && schema.command() == "optimize")
    throw usage("--ask-again", "a new run has asked for nothing", "give it to the run: tempera resume RUN --ask-again");
  const bool asks = options.by_hand() && !options.space.empty() && options.objective.empty();
  if (!asks && !options.of_stage && options.command.empty() == options.objective.empty())
    throw usage("--command", options.command.empty() ? "nothing to optimise" : "a command and an objective are given",
                "give SPACE.toml --command \"…\" or --objective NAME (`tempera help objectives` lists them)");
  if (options.of_command() || options.of_stage || asks) {
    if (options.space.empty())
      throw usage("SPACE.toml", "the space of the command is missing",
                  "name a file with the parameters (`tempera help optimization`)");
    if (!options.settings.empty()) throw usage("--set", "is for built-in objectives", "leave it out");
  } else if (!options.space.empty()) {
    throw usage("SPACE.toml", "a built-in objective has its own space", "leave it out, or give --command");
  }
  if (!options.of_command() && !asks)
    for (const char* name : {"timeout", "retries", "workers"})
      if (given(schema, name)) throw usage(std::string("--") + name, "is for --command", "leave it out");
  if (options.batch > 1 && !given(schema, "scheduler")) options.scheduler = "batch";
  const bool evolves = options.scheduler == "cma-es";
  if (options.batch > 1 && options.scheduler != "batch" && !evolves)
    throw usage("--batch", "is for --scheduler batch and cma-es", "leave out one of the two");
  if (options.population && !evolves)
    throw usage("--population", "is for --scheduler cma-es", "leave out one of the two");
  AcquisitionRule::parse(options.acquisition);
  if (!options.has_model())
    for (const char* name : {"surrogate", "acquisition", "hyperparameters", "warm-start", "model-ranks"})
      if (given(schema, name))
        throw usage(std::string("--") + name, fmt::format("--scheduler {} needs no model", options.scheduler),
                    "leave it out");
  if (given(schema, "warm-start-task") && options.warm_start.empty())
    throw usage("--warm-start-task", "there is no --warm-start", "leave it out, or name the runs to learn from");
  refuse_unused(schema, false);
  check_time_limit(schema, options.common);
}

RankLayoutOptions rank_options(const OptimizeOptions& options) {
  return {static_cast<int>(options.model_ranks), static_cast<int>(options.ranks_per_trial)};
}

void refuse_unused(const OptionSchema& schema, bool resumed) {
  const auto refuse = [&](const char* name, const std::string& what) {
    const std::string by = schema.find(name)->set_by();
    if (resumed ? by == "command line" : !by.empty()) throw usage(std::string("--") + name, what, "leave it out");
  };
  for (const char* name : {"checkpoint-every", "checkpoint-dir"})
    refuse(name, "there are no checkpoints: every event of an optimisation is in its journal at once");
  refuse("profile", "an optimisation has a single timed region; tempera status draws what each worker did when");
}

std::vector<std::string> OptimizeOptions::sources() const {
  std::vector<std::string> runs;
  for (const std::string& argument : warm_start)
    for (const std::string_view run : split(argument, ','))
      if (!run.empty()) runs.emplace_back(run);
  return runs;
}

SchedulerOptions scheduler_options(const OptimizeOptions& options) {
  SchedulerOptions scheduler;
  const bool blind = options.scheduler == "random" || options.scheduler == "sobol";
  const bool together = options.scheduler == "batch" || options.batch > 1;
  scheduler.schedule = blind ? Schedule::blind : together ? Schedule::batch : Schedule::async;
  scheduler.budget = options.budget;
  scheduler.batch = options.batch;
  scheduler.max_failures = options.max_failures;
  scheduler.max_retries = options.retries;
  return scheduler;
}

}  // namespace tempera::drivers
