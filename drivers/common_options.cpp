#include "drivers/common_options.hpp"

#include <fmt/format.h>

namespace tempera::drivers {

namespace {

void declare_place(OptionSchema& schema, CommonOptions& options) {
  schema.path("output", options.output)
      .metavar("RUN")
      .names(PathKind::folder)
      .default_text(fmt::format("runs/{}-<date>-<n>", schema.command()))
      .help("folder of the results; one that is not empty is refused");
  schema.flag("overwrite", options.overwrite).help("replace the results in an existing folder");
}

void declare_time_limit(OptionSchema& schema, CommonOptions& options) {
  schema.text("time-limit", options.time_limit)
      .metavar("2h|auto")
      .absent("none")
      .proposals({"auto"})
      .help("write a checkpoint and leave before this time is over; auto: the end of the batch job's allocation");
}

void declare_printing(OptionSchema& schema, CommonOptions& options) {
  schema.flag("quiet", options.quiet).help("no progress and no warnings");
  schema.flag("verbose", options.verbose).help("say more while running");
  schema.flag("json", options.json).help("print the summary as JSON on standard output");
}

void declare_shared(OptionSchema& schema, CommonOptions& options) {
  schema.integer("seed", options.seed)
      .minimum(0)
      .help("seed of all random numbers; the same seed gives the same results");
  schema.integer("threads", options.threads)
      .minimum(1)
      .maximum(1024)
      .help("OpenMP threads of each MPI rank; they change no bit of a result");
  schema.text("checkpoint-every", options.checkpoint_every)
      .metavar("60s|20it|never")
      .proposals({"60s", "20it", "never"})
      .default_text("60s, or 50 times the cost of a checkpoint")
      .help("time or steps between checkpoints");
  schema.path("checkpoint-dir", options.checkpoint_dir)
      .metavar("DIR")
      .names(PathKind::folder)
      .default_text("RUN/checkpoint")
      .help("folder of the checkpoints");
  declare_time_limit(schema, options);
  schema.flag("profile", options.profile).help("write RUN/profile.json, a trace of all ranks for Perfetto, and the table of timed regions");
  declare_printing(schema, options);
}

}  // namespace

void declare_common_options(OptionSchema& schema, CommonOptions& options) {
  schema.group("Run");
  declare_place(schema, options);
  declare_shared(schema, options);
  schema.config_file("config", options.config).metavar("FILE").help("TOML file with values for these options");
}

void declare_resume_options(OptionSchema& schema, CommonOptions& options) {
  schema.group("Run");
  declare_shared(schema, options);
}

void declare_study_options(OptionSchema& schema, CommonOptions& options, bool resumed) {
  schema.group("Run");
  if (!resumed) declare_place(schema, options);
  declare_time_limit(schema, options);
  declare_printing(schema, options);
}

}  // namespace tempera::drivers
