#include "drivers/common_options.hpp"

#include <fmt/format.h>

namespace tempera::drivers {

void declare_common_options(OptionSchema& schema, CommonOptions& options) {
  schema.group("Run");
  schema.path("output", options.output)
      .metavar("RUN")
      .default_text(fmt::format("runs/{}-<date>-<n>", schema.command()))
      .help("folder of the results; one that is not empty is refused");
  schema.flag("overwrite", options.overwrite).help("replace the results in an existing folder");
  schema.integer("seed", options.seed)
      .minimum(0)
      .help("seed of all random numbers; the same seed gives the same results");
  schema.integer("threads", options.threads).minimum(1).maximum(1024).help("threads of each MPI rank");
  schema.flag("profile", options.profile).help("add the table of timed regions to the summary");
  schema.flag("quiet", options.quiet).help("no progress and no warnings");
  schema.flag("verbose", options.verbose).help("say more while running");
  schema.flag("json", options.json).help("print the summary as JSON on standard output");
  schema.config_file("config", options.config).metavar("FILE").help("TOML file with values for these options");
}

}  // namespace tempera::drivers
