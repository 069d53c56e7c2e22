#include "drivers/commands/resume.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "core/base/command_line.hpp"
#include "core/base/error.hpp"
#include "core/base/option_help.hpp"
#include "core/base/option_json.hpp"
#include "drivers/commands/decomposition.hpp"
#include "drivers/run/manifest.hpp"
#include "drivers/standard_streams.hpp"
#include "drivers/time_limit.hpp"

namespace tempera::drivers {

namespace {

using Json = nlohmann::ordered_json;

/// What a resumed run may be told anew: nothing of it changes the result by more than rounding.
constexpr const char* kFree[] = {"input",          "grid",       "threads", "checkpoint-every",
                                 "checkpoint-dir", "time-limit", "profile", "quiet",
                                 "verbose",        "json",       "run",     "start-groups"};
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

int resume_decompose(ResumedRun run, OptionSchema& schema, DecomposeOptions& options, const Launch& launch) {
  const Json& values = run.manifest.at("options").at("values");
  const bool ended = run.manifest.at("exit_status") == 0;
  if (ended && options_to_json(schema)["values"].at("iterations") == values.at("iterations")) {
    if (launch.is_first()) print_result(ended_text(run.folder, "iterations", values.at("iterations")));
    return 0;
  }
  run.input_sha256 = run.manifest.at("input").at("sha256");
  Json& path = run.manifest["input"]["path"];
  if (options.input.empty())
    options.input = path;
  else
    path = std::filesystem::absolute(options.input).lexically_normal().string();
  if (!options.common.checkpoint_dir.empty())
    run.manifest["checkpoint_folder"] = std::filesystem::absolute(options.common.checkpoint_dir).string();
  return run_decomposition(launch, {options, schema, launch.start, std::move(run)});
}

}  // namespace

int run_resume(std::span<const std::string> arguments, const Launch& launch) {
  std::filesystem::path folder;
  DecomposeOptions options;
  OptionSchema schema("resume", std::string(kResumeSummary));
  schema.example("mpirun -n 8 tempera resume runs/ratings --time-limit auto");
  schema.positional("run", OptionKind::path, folder).help("folder of the run that is to go on").required();
  declare_for_resume(schema, options);
  // Twice: the first time finds the folder, the second puts the command line over what the run was told before.
  if (parse_command_line(schema, arguments) == CommandLineOutcome::help) {
    if (launch.is_first()) print_result(help_text(schema));
    return 0;
  }
  const Json manifest = read_manifest(folder);
  if (manifest.at("command") != "decompose")
    throw Error(Category::input, (folder / "manifest.json").string(),
                fmt::format("a run of '{}' cannot go on", manifest.at("command").get<std::string>()),
                "it was written by another version of tempera");
  Json values = manifest.at("options").at("values");
  for (const char* name : kNotInherited) values.erase(name);
  apply_json(schema, values, (folder / "manifest.json").string());
  parse_command_line(schema, arguments);
  check_unchanged(schema, values, "iterations");
  parse_checkpoint_every(schema, options.common);
  check_time_limit(schema, options.common);
  return resume_decompose({folder, manifest, {}}, schema, options, launch);
}

}  // namespace tempera::drivers
