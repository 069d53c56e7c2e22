#include "drivers/commands/resume.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "core/base/command_line.hpp"
#include "core/base/error.hpp"
#include "core/base/option_help.hpp"
#include "core/base/option_json.hpp"
#include "drivers/commands/decomposition.hpp"
#include "drivers/commands/optimize/optimizing.hpp"
#include "drivers/commands/run.hpp"
#include "drivers/commands/sample/sampling.hpp"
#include "drivers/run/manifest.hpp"
#include "drivers/standard_streams.hpp"
#include "drivers/time_limit.hpp"

namespace tempera::drivers {

namespace {

using Json = nlohmann::ordered_json;

/// What a resumed run may be told anew: nothing of it changes the result by more than rounding.
constexpr const char* kFree[] = {"input",      "grid",      "threads",      "checkpoint-every",
                                 "time-limit", "profile",   "quiet",        "checkpoint-dir",
                                 "verbose",    "json",      "run",          "ranks-per-replica",
                                 "data",       "tensor",    "start-groups", "ranks-per-trial",
                                 "until-rhat", "until-ess", "timeout",      "max-failures",
                                 "ask",        "ask-again", "tell",         "workers",
                                 "model-ranks"};
/// Taken from the manifest unless they are given: what a run prints is each time's own.
constexpr const char* kNotInherited[] = {"quiet",  "verbose", "json", "output",    "overwrite",
                                         "config", "input",   "ask",  "ask-again", "tell"};

bool is_one_of(std::span<const char* const> names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_typed(const OptionSchema& schema, const std::string& name) {
  return schema.find(name)->set_by() == "command line";
}

/// How far the command's runs go, and how far this one came.
struct Limit {
  const char* option;          ///< "iterations"
  Json before;                 ///< what the run was told
  Json reached;                ///< less where a criterion ended it earlier
  std::string criterion = {};  ///< that one: "--until-ess 400"
};

/// @throws Error{usage} naming the first option that another result would come of
void check_unchanged(const OptionSchema& schema, const Json& before, const Limit& limit) {
  const Json now = options_to_json(schema)["values"];
  for (const Option& option : schema.options()) {
    const std::string& name = option.name();
    if (is_one_of(kFree, name) || !before.contains(name) || now.at(name) == before.at(name)) continue;
    if (name == limit.option && now.at(name) >= limit.reached) continue;
    throw Error(Category::usage, schema.where(name),
                fmt::format("is {} in this run and cannot become {}",
                            (name == limit.option ? limit.reached : before.at(name)).dump(), now.at(name).dump()),
                name == limit.option ? "a run can be extended, not shortened"
                                     : "other options make another result: begin a new run for it");
  }
}

Json summary_of(const std::filesystem::path& run) {
  std::ifstream file(run / "summary.json", std::ios::binary);
  Json summary = Json::parse(file, nullptr, false);
  return summary.is_object() ? summary : Json::object();
}

std::string ended_text(const std::filesystem::path& run, const Limit& limit) {
  std::string why = fmt::format("--{} was {}, a larger number extends it", limit.option, limit.before.dump());
  if (summary_of(run).value("converged", false)) why = "it has converged";
  if (!limit.criterion.empty())
    why = fmt::format("{} was reached in round {}; a stricter criterion, or --rounds above that, extends it",
                      limit.criterion, limit.reached.dump());
  return fmt::format("{}: the run has ended: {}\n", run.string(), why);
}

/// A run of `tempera sample` may have ended before its last round, as soon as its draws sufficed.
Limit limit_of_sample(const ResumedRun& run) {
  const Json& values = run.manifest.at("options").at("values");
  Limit limit{"rounds", values.at("rounds"), values.at("rounds")};
  if (run.manifest.at("exit_status") != 0) return limit;
  const Json rounds = summary_of(run.folder).value("rounds", limit.before);
  if (!(rounds < limit.before)) return limit;
  limit.reached = rounds;
  for (const char* name : {"until-rhat", "until-ess"})
    if (values.at(name).is_number())
      limit.criterion +=
          fmt::format("{}--{} {}", limit.criterion.empty() ? "" : " with ", name, values.at(name).dump());
  return limit;
}

/// Where the input is now, if it is said anew. @param option  what the run was told before, and is told now
template <class Path>
void take_input(ResumedRun& run, Path& option) {
  Json& input = run.manifest["input"];
  if (input.is_null()) return;
  run.input_sha256 = input.at("sha256");
  if (option.empty())
    option = input.at("path").get<std::string>();
  else
    input["path"] = std::filesystem::absolute(option).lexically_normal().string();
}

/// What every command's run is told when it goes on. @return false: it has ended, and that is all
template <class Options>
bool prepare(ResumedRun& run, OptionSchema& schema, std::span<const std::string> arguments, const Limit& limit,
             Options& options, const Launch& launch) {
  Json values = run.manifest.at("options").at("values");
  for (const char* name : kNotInherited) values.erase(name);
  apply_json(schema, values, (run.folder / "manifest.json").string());
  parse_command_line(schema, arguments);
  check_unchanged(schema, values, limit);
  parse_checkpoint_every(schema, options.common);
  check_time_limit(schema, options.common);
  const bool ended = run.manifest.at("exit_status") == 0;
  const Json now = options_to_json(schema)["values"];
  const bool further = is_typed(schema, limit.option) && now.at(limit.option) > limit.reached;
  const bool other_criterion = !limit.criterion.empty() && (now.at("until-rhat") != values.at("until-rhat") ||
                                                            now.at("until-ess") != values.at("until-ess"));
  if (ended && !further && !other_criterion) {
    if (launch.is_first()) print_result(ended_text(run.folder, limit));
    return false;
  }
  if (!options.common.checkpoint_dir.empty())
    run.manifest["checkpoint_folder"] = std::filesystem::absolute(options.common.checkpoint_dir).string();
  return true;
}

void declare_run(OptionSchema& schema, std::filesystem::path& folder) {
  schema.example("mpirun -n 8 tempera resume runs/ratings --time-limit auto");
  schema.positional("run", OptionKind::path, folder)
      .names(PathKind::folder)
      .help("folder of the run that is to go on; its command's own options are listed where the folder is there")
      .required();
}

/// What resume can be told: where the run is, and its command's options.
template <class Options>
struct ResumeOptions {
  std::filesystem::path folder;
  Options own;
};

template <class Options>
void declare(OptionSchema& schema, ResumeOptions<Options>& options) {
  declare_run(schema, options.folder);
  declare_for_resume(schema, options.own);
}

/// What a command's runs have of their own: `limit_of(run)` and `go_on(run, schema, options)`.
template <class Options, class LimitOf, class GoOn>
int resume(std::span<const std::string> arguments, const Launch& launch, LimitOf limit_of, GoOn go_on) {
  ResumeOptions<Options> options;
  OptionSchema schema("resume", std::string(kResumeSummary));
  declare(schema, options);
  // Twice: the first time finds the folder, the second puts the command line over what the run was told before.
  if (parse_command_line(schema, arguments) == CommandLineOutcome::help) {
    if (launch.is_first()) print_result(help_text(schema));
    return 0;
  }
  ResumedRun run;
  run.folder = options.folder;
  run.manifest = read_manifest(run.folder);
  const bool goes_on = prepare(run, schema, arguments, limit_of(run), options.own, launch);
  return goes_on ? go_on(std::move(run), schema, options.own) : 0;
}

int resume_decompose(std::span<const std::string> arguments, const Launch& launch) {
  const auto limit_of = [](const ResumedRun& run) {
    const Json iterations = run.manifest.at("options").at("values").at("iterations");
    return Limit{"iterations", iterations, iterations};
  };
  return resume<DecomposeOptions>(arguments, launch, limit_of,
                                  [&](ResumedRun run, const OptionSchema& schema, DecomposeOptions& options) {
                                    take_input(run, options.input);
                                    return run_decomposition(launch, {options, schema, launch.start, std::move(run)});
                                  });
}

int resume_sample(std::span<const std::string> arguments, const Launch& launch) {
  return resume<SampleOptions>(
      arguments, launch, limit_of_sample, [&](ResumedRun run, const OptionSchema& schema, SampleOptions& options) {
        // So many rounds are meant then, whether or not fewer would do.
        if (is_typed(schema, "rounds") && !is_typed(schema, "until-rhat") && !is_typed(schema, "until-ess"))
          options.until_rhat = options.until_ess = std::nullopt;
        if (options.of_tensor())
          take_input(run, options.tensor);
        else
          take_input(run, options.data);
        return run_sampling(launch, {options, schema, launch.start, std::move(run)});
      });
}

/// The run's own copy of the space; killed before there was one it takes the original.
std::filesystem::path space_of(const ResumedRun& run) {
  const std::filesystem::path copy = run.folder / "space.toml";
  std::error_code error;
  if (std::filesystem::exists(copy, error)) return copy;
  return run.manifest.at("input").at("path").get<std::string>();
}

int resume_optimize(std::span<const std::string> arguments, const Launch& launch) {
  const auto limit_of = [](const ResumedRun& run) {
    const Json budget = run.manifest.at("options").at("values").at("budget");
    return Limit{"budget", budget, budget};
  };
  return resume<OptimizeOptions>(arguments, launch, limit_of,
                                 [&](ResumedRun run, const OptionSchema& schema, OptimizeOptions& options) {
                                   refuse_unused(schema, true);
                                   if (options.objective.empty()) options.space = space_of(run);
                                   return run_optimizing(launch, {options, schema, launch.start, std::move(run)});
                                 });
}

/// A run that belongs to a study goes on with it: alone it could become another one than the study takes it for.
/// @throws Error{usage}
void refuse_part_of_study(const std::string& run) {
  namespace fs = std::filesystem;
  std::error_code error;
  for (fs::path at = fs::absolute(run, error).lexically_normal(); at != at.parent_path(); at = at.parent_path()) {
    const fs::path study = at.parent_path();
    if (at.filename() != "stages" || !fs::is_regular_file(study / "manifest.json", error)) continue;
    if (read_manifest(study).at("command") == "run")
      throw Error(Category::usage, run, fmt::format("is part of the study in {}", study.string()),
                  fmt::format("'tempera resume {}' goes on with all of it; a copy of the folder can be extended alone",
                              study.string()));
  }
}

/// The command whose run the arguments name; "decompose" where they name none, so that its parser can say so.
std::string command_of(std::span<const std::string> arguments) {
  for (const std::string& argument : arguments) {
    std::error_code error;
    if (argument.empty() || argument.starts_with("-") ||
        !std::filesystem::is_regular_file(std::filesystem::path(argument) / "manifest.json", error))
      continue;
    const Json manifest = read_manifest(argument);
    refuse_part_of_study(argument);
    std::string command = manifest.at("command");
    if (command == "decompose" || command == "sample" || command == "optimize" || command == "run") return command;
    throw Error(Category::input, (std::filesystem::path(argument) / "manifest.json").string(),
                fmt::format("a run of '{}' cannot go on", command), "it was written by another version of tempera");
  }
  return "decompose";
}

}  // namespace

int run_resume(std::span<const std::string> arguments, const Launch& launch) {
  const std::string command = command_of(arguments);
  if (command == "sample") return resume_sample(arguments, launch);
  if (command == "optimize") return resume_optimize(arguments, launch);
  if (command == "run") return resume_study(arguments, launch);
  return resume_decompose(arguments, launch);
}

std::vector<CommandSchema> resume_schemas() {
  const auto of = [](auto options, std::string command) {
    using Options = decltype(options);
    return command_schema<ResumeOptions<Options>>("resume", kResumeSummary, declare, std::move(command));
  };
  return {of(DecomposeOptions(), "decompose"), of(SampleOptions(), "sample"), of(OptimizeOptions(), "optimize"),
          resume_study_schema()};
}

}  // namespace tempera::drivers
