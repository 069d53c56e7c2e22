#include "drivers/commands/resume.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "core/base/command_line.hpp"
#include "core/base/error.hpp"
#include "core/base/option_help.hpp"
#include "core/base/option_json.hpp"
#include "drivers/commands/decomposition.hpp"
#include "drivers/commands/sample/sampling.hpp"
#include "drivers/run/manifest.hpp"
#include "drivers/standard_streams.hpp"
#include "drivers/time_limit.hpp"

namespace tempera::drivers {

namespace {

using Json = nlohmann::ordered_json;

/// What a resumed run may be told anew: nothing of it changes the result by more than rounding.
constexpr const char* kFree[] = {"input",      "grid",     "threads", "checkpoint-every", "checkpoint-dir",
                                 "time-limit", "profile",  "quiet",   "verbose",          "json",
                                 "run",        "data",     "tensor",  "start-groups",     "ranks-per-replica",
                                 "until-rhat", "until-ess"};
/// Taken from the manifest unless they are given: what a run prints is each time's own.
constexpr const char* kNotInherited[] = {"quiet", "verbose", "json", "output", "overwrite", "config", "input"};

bool is_one_of(std::span<const char* const> names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// @throws Error{usage} naming the first option that another result would come of
void check_unchanged(const OptionSchema& schema, const Json& before, const std::string& limit) {
  const Json now = options_to_json(schema)["values"];
  for (const Option& option : schema.options()) {
    const std::string& name = option.name();
    if (is_one_of(kFree, name) || !before.contains(name) || now.at(name) == before.at(name)) continue;
    if (name == limit && now.at(name) > before.at(name)) continue;
    throw Error(Category::usage, schema.where(name),
                fmt::format("is {} in this run and cannot become {}", before.at(name).dump(), now.at(name).dump()),
                name == limit ? "a run can be extended, not shortened"
                              : "other options make another result: begin a new run for it");
  }
}

std::string ended_text(const std::filesystem::path& run, const std::string& limit, const Json& value) {
  std::ifstream file(run / "summary.json", std::ios::binary);
  const Json summary = Json::parse(file, nullptr, false);
  const bool converged = summary.is_object() && summary.value("converged", false);
  return fmt::format(
      "{}: the run has ended: {}\n", run.string(),
      converged ? "it has converged" : fmt::format("--{} was {}, a larger number extends it", limit, value.dump()));
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
bool prepare(ResumedRun& run, OptionSchema& schema, std::span<const std::string> arguments, const std::string& limit,
             Options& options, const Launch& launch) {
  Json values = run.manifest.at("options").at("values");
  for (const char* name : kNotInherited) values.erase(name);
  apply_json(schema, values, (run.folder / "manifest.json").string());
  parse_command_line(schema, arguments);
  check_unchanged(schema, values, limit);
  parse_checkpoint_every(schema, options.common);
  check_time_limit(schema, options.common);
  const bool ended = run.manifest.at("exit_status") == 0;
  if (ended && options_to_json(schema)["values"].at(limit) == values.at(limit)) {
    if (launch.is_first()) print_result(ended_text(run.folder, limit, values.at(limit)));
    return false;
  }
  if (!options.common.checkpoint_dir.empty())
    run.manifest["checkpoint_folder"] = std::filesystem::absolute(options.common.checkpoint_dir).string();
  return true;
}

void declare_run(OptionSchema& schema, std::filesystem::path& folder) {
  schema.example("mpirun -n 8 tempera resume runs/ratings --time-limit auto");
  schema.positional("run", OptionKind::path, folder)
      .help("folder of the run that is to go on; its command's own options are listed where the folder is there")
      .required();
}

int resume_decompose(std::span<const std::string> arguments, const Launch& launch) {
  DecomposeOptions options;
  ResumedRun run;
  OptionSchema schema("resume", std::string(kResumeSummary));
  declare_run(schema, run.folder);
  declare_for_resume(schema, options);
  // Twice: the first time finds the folder, the second puts the command line over what the run was told before.
  if (parse_command_line(schema, arguments) == CommandLineOutcome::help) {
    if (launch.is_first()) print_result(help_text(schema));
    return 0;
  }
  run.manifest = read_manifest(run.folder);
  if (!prepare(run, schema, arguments, "iterations", options, launch)) return 0;
  take_input(run, options.input);
  return run_decomposition(launch, {options, schema, launch.start, std::move(run)});
}

int resume_sample(std::span<const std::string> arguments, const Launch& launch) {
  SampleOptions options;
  ResumedRun run;
  OptionSchema schema("resume", std::string(kResumeSummary));
  declare_run(schema, run.folder);
  declare_for_resume(schema, options);
  if (parse_command_line(schema, arguments) == CommandLineOutcome::help) {
    if (launch.is_first()) print_result(help_text(schema));
    return 0;
  }
  run.manifest = read_manifest(run.folder);
  if (!prepare(run, schema, arguments, "rounds", options, launch)) return 0;
  if (options.of_tensor())
    take_input(run, options.tensor);
  else
    take_input(run, options.data);
  return run_sampling(launch, {options, schema, launch.start, std::move(run)});
}

/// The command whose run the arguments name; "decompose" where they name none, so that its parser can say so.
std::string command_of(std::span<const std::string> arguments) {
  for (const std::string& argument : arguments) {
    std::error_code error;
    if (argument.empty() || argument.starts_with("-") ||
        !std::filesystem::is_regular_file(std::filesystem::path(argument) / "manifest.json", error))
      continue;
    const Json manifest = read_manifest(argument);
    std::string command = manifest.at("command");
    if (command == "decompose" || command == "sample") return command;
    throw Error(Category::input, (std::filesystem::path(argument) / "manifest.json").string(),
                fmt::format("a run of '{}' cannot go on", command), "it was written by another version of tempera");
  }
  return "decompose";
}

}  // namespace

int run_resume(std::span<const std::string> arguments, const Launch& launch) {
  return command_of(arguments) == "sample" ? resume_sample(arguments, launch) : resume_decompose(arguments, launch);
}

}  // namespace tempera::drivers
