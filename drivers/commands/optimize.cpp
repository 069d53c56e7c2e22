#include "drivers/commands/optimize.hpp"

#include "core/base/command_line.hpp"
#include "core/base/option_help.hpp"
#include "drivers/commands/optimize/optimize_options.hpp"
#include "drivers/commands/optimize/optimizing.hpp"
#include "drivers/standard_streams.hpp"

namespace tempera::drivers {

int run_optimize(std::span<const std::string> arguments, const Launch& launch) {
  OptimizeOptions options;
  OptionSchema schema("optimize", std::string(kOptimizeSummary));
  declare(schema, options);
  if (parse_command_line(schema, arguments) == CommandLineOutcome::help) {
    if (launch.is_first()) print_result(help_text(schema));
    return 0;
  }
  complete(schema, options);
  return run_optimizing(launch, {options, schema, launch.start, std::nullopt});
}

std::vector<CommandSchema> optimize_schemas() {
  return {command_schema<OptimizeOptions>("optimize", kOptimizeSummary, declare)};
}

}  // namespace tempera::drivers
