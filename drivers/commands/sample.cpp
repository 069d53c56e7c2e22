#include "drivers/commands/sample.hpp"

#include "core/base/command_line.hpp"
#include "core/base/option_help.hpp"
#include "drivers/commands/sample/sample_options.hpp"
#include "drivers/commands/sample/sampling.hpp"
#include "drivers/standard_streams.hpp"

namespace tempera::drivers {

int run_sample(std::span<const std::string> arguments, const Launch& launch) {
  SampleOptions options;
  OptionSchema schema("sample", std::string(kSampleSummary));
  declare(schema, options);
  if (parse_command_line(schema, arguments) == CommandLineOutcome::help) {
    if (launch.is_first()) print_result(help_text(schema));
    return 0;
  }
  complete(schema, options);
  return run_sampling(launch, {options, schema, launch.start, std::nullopt});
}

std::vector<CommandSchema> sample_schemas() {
  return {command_schema<SampleOptions>("sample", kSampleSummary, declare)};
}

}  // namespace tempera::drivers
