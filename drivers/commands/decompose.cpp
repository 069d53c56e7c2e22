#include "drivers/commands/decompose.hpp"

#include "core/base/command_line.hpp"
#include "core/base/option_help.hpp"
#include "drivers/commands/decompose_options.hpp"
#include "drivers/commands/decomposition.hpp"
#include "drivers/standard_streams.hpp"

namespace tempera::drivers {

int run_decompose(std::span<const std::string> arguments, const Launch& launch) {
  DecomposeOptions options;
  OptionSchema schema("decompose", std::string(kDecomposeSummary));
  declare(schema, options);
  if (parse_command_line(schema, arguments) == CommandLineOutcome::help) {
    if (launch.is_first()) print_result(help_text(schema));
    return 0;
  }
  complete(schema, options);
  return run_decomposition(launch, {options, schema, launch.start, std::nullopt});
}

std::vector<CommandSchema> decompose_schemas() {
  return {command_schema<DecomposeOptions>("decompose", kDecomposeSummary, declare)};
}

}  // namespace tempera::drivers
