#include "drivers/commands/run.hpp"

#include <fmt/format.h>

#include "core/base/command_line.hpp"
#include "core/base/error.hpp"
#include "core/base/option_help.hpp"
#include "core/base/sha256.hpp"
#include "drivers/commands/resume.hpp"
#include "drivers/common_options.hpp"
#include "drivers/master/study_plan.hpp"
#include "drivers/master/study_run.hpp"
#include "drivers/run/manifest.hpp"
#include "drivers/standard_streams.hpp"
#include "drivers/time_limit.hpp"

namespace tempera::drivers {

namespace {

struct RunOptions {
  std::filesystem::path study;
  bool dry_run = false;
  std::optional<int> ranks;
  CommonOptions common;
};

void declare(OptionSchema& schema, RunOptions& options) {
  schema.example("mpirun -n 8 tempera run study.toml --time-limit auto");
  schema.positional("study", OptionKind::path, options.study)
      .metavar("STUDY.toml")
      .help("stages and what they need of each other (`tempera help studies`)")
      .required();
  schema.flag("dry-run", options.dry_run).help("check the study and print the plan, without running anything");
  schema.integer("ranks", options.ranks)
      .minimum(1)
      .maximum(1 << 22)
      .absent("those of the job")
      .help("MPI ranks to plan for (--dry-run)");
  declare_study_options(schema, options.common);
}

struct ResumeStudyOptions {
  std::filesystem::path run;
  CommonOptions common;
};

void declare(OptionSchema& schema, ResumeStudyOptions& options) {
  schema.example("mpirun -n 8 tempera resume runs/study --time-limit auto");
  schema.positional("run", OptionKind::path, options.run)
      .names(PathKind::folder)
      .help("folder of the study's run that is to go on")
      .required();
  declare_study_options(schema, options.common, true);
}

/// The run's own copy of the study; killed before there was one it takes the original.
std::filesystem::path study_of(const ResumedRun& run) {
  const std::filesystem::path copy = run.folder / "study.toml";
  const std::filesystem::path original = run.manifest.at("input").at("path").get<std::string>();
  std::error_code error;
  if (std::filesystem::exists(copy, error)) return copy;
  if (std::filesystem::exists(original, error) && sha256_of_file(original) == run.manifest["input"].at("sha256"))
    return original;
  throw Error(Category::input, copy.string(), "is not there, and the study that it is a copy of has changed",
              "restore one of them, or begin a new run");
}

}  // namespace

int run_study(std::span<const std::string> arguments, const Launch& launch) {
  RunOptions options;
  OptionSchema schema("run", std::string(kRunSummary));
  declare(schema, options);
  if (parse_command_line(schema, arguments) == CommandLineOutcome::help) {
    if (launch.is_first()) print_result(help_text(schema));
    return 0;
  }
  if (options.ranks && !options.dry_run)
    throw Error(Category::usage, "--ranks", "is for --dry-run", "leave it out: mpirun says how many ranks there are");
  check_time_limit(schema, options.common);
  const int ranks = options.ranks.value_or(launch.ranks);
  const StudyGraph graph = make_graph(read_study(options.study));
  const std::vector<RunSize> sizes = validate(graph, ranks);
  if (!options.dry_run) {
    options.common.seed = graph.study.seed;
    return conduct_study(launch, {graph, sizes, ranks, options.common, schema, launch.start, std::nullopt});
  }
  const StudyPlan plan = plan_study(graph, sizes, ranks);
  if (!launch.is_first()) return 0;
  if (options.common.json)
    print_result(plan_json(graph, sizes, plan).dump(2) + "\n");
  else
    print_result(plan_text(graph, sizes, plan, options.common.verbose));
  return 0;
}

int resume_study(std::span<const std::string> arguments, const Launch& launch) {
  ResumedRun run;
  ResumeStudyOptions options;
  OptionSchema schema("resume", std::string(kResumeSummary));
  declare(schema, options);
  if (parse_command_line(schema, arguments) == CommandLineOutcome::help) {
    if (launch.is_first()) print_result(help_text(schema));
    return 0;
  }
  CommonOptions& common = options.common;
  check_time_limit(schema, common);
  run.folder = options.run;
  run.manifest = read_manifest(run.folder);
  if (run.manifest.value("exit_status", nlohmann::ordered_json()) == 0) {
    if (launch.is_first())
      print_result(fmt::format("{}: the study has ended: all its runs are done\n", run.folder.string()));
    return 0;
  }
  const StudyGraph graph = make_graph(read_study(study_of(run), run.manifest.at("study_folder").get<std::string>()));
  const std::vector<RunSize> sizes = validate(graph, launch.ranks);
  common.seed = graph.study.seed;
  return conduct_study(launch, {graph, sizes, launch.ranks, common, schema, launch.start, std::move(run)});
}

std::vector<CommandSchema> study_schemas() {
  return {command_schema<RunOptions>("run", kRunSummary, declare)};
}

CommandSchema resume_study_schema() {
  return command_schema<ResumeStudyOptions>("resume", kResumeSummary, declare, "run");
}

}  // namespace tempera::drivers
