#include "drivers/commands/plan.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/base/command_line.hpp"
#include "core/base/file_bytes.hpp"
#include "core/base/option_help.hpp"
#include "core/base/text.hpp"
#include "distributed/communicator/collectively.hpp"
#include "drivers/commands/plan/planner.hpp"
#include "drivers/session.hpp"
#include "drivers/standard_streams.hpp"

namespace tempera::drivers {

namespace {

std::string text_of(const Plan& plan, const std::vector<std::string>& warnings) {
  std::string text = plan.text;
  for (const std::string& warning : warnings) {
    bool first = true;
    for (const std::string& line : wrap_words(warning, 86)) {
      text += fmt::format("  {:10}{}\n", first ? "warning" : "", line);
      first = false;
    }
  }
  return text;
}

void print(const Planner& planner, const Plan& plan, int processes) {
  std::vector<std::string> warnings = plan.warnings;
  if (processes > 1)
    warnings.push_back(
        fmt::format("one process plans; the other {} of this mpirun had nothing to do: 'tempera plan' needs no mpirun",
                    processes - 1));
  if (!planner.json()) return print_result(text_of(plan, warnings));
  nlohmann::ordered_json json = plan.json;
  json["warnings"] = warnings;
  print_result(json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

}  // namespace

int run_plan(std::span<const std::string> arguments, const Launch& launch) {
  const std::unique_ptr<Planner> planner = planner_for(arguments);
  if (parse_command_line(planner->schema(), arguments) == CommandLineOutcome::help) {
    if (launch.is_first()) print_result(help_text(planner->schema()));
    return 0;
  }
  planner->complete();
  return run_session(launch, [&](const Session& session) {
    return collectively(session.world, [&] {
      if (!session.world.is_root()) return 0;
      set_threads(planner->threads());
      Plan plan = planner->plan(Communicator::self());
      plan.text += planner->draw(plan);
      print(*planner, plan, session.world.size());
      return 0;
    });
  });
}

std::vector<CommandSchema> plan_schemas() {
  const auto of = [](std::shared_ptr<Planner> planner, std::string engine) {
    const OptionSchema* schema = &planner->schema();
    return CommandSchema{std::shared_ptr<const OptionSchema>(std::move(planner), schema), std::move(engine)};
  };
  return {of(decompose_planner(), "decompose"), of(sample_planner(), "sample"), of(optimize_planner(), "optimize")};
}

}  // namespace tempera::drivers
