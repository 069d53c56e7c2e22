#include "drivers/commands/run.hpp"

#include "core/base/command_line.hpp"
#include "core/base/error.hpp"
#include "core/base/option_help.hpp"
#include "drivers/master/study_plan.hpp"
#include "drivers/standard_streams.hpp"

namespace tempera::drivers {

namespace {

struct RunOptions {
  std::filesystem::path study;
  bool dry_run = false;
  std::optional<int> ranks;
  bool verbose = false;
  bool json = false;
};

void declare(OptionSchema& schema, RunOptions& options) {
  schema.example("tempera run study.toml --dry-run --ranks 64");
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
  schema.flag("verbose", options.verbose).help("all steps and runs of the plan, however many");
  schema.flag("json", options.json).help("print the plan as JSON");
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
  if (!options.dry_run)
    throw Error(Category::usage, "--dry-run", "is missing: a study can be planned, not yet run", "add --dry-run");
  const int ranks = options.ranks.value_or(launch.ranks);
  const StudyGraph graph = make_graph(read_study(options.study));
  const std::vector<RunSize> sizes = validate(graph, ranks);
  const StudyPlan plan = plan_study(graph, sizes, ranks);
  if (!launch.is_first()) return 0;
  if (options.json)
    print_result(plan_json(graph, sizes, plan).dump(2) + "\n");
  else
    print_result(plan_text(graph, sizes, plan, options.verbose));
  return 0;
}

}  // namespace tempera::drivers
