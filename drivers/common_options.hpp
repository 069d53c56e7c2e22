#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "core/base/option_schema.hpp"

namespace tempera::drivers {

/// Options of every command that computes and writes a run folder.
struct CommonOptions {
  std::filesystem::path output;  ///< empty: runs/<command>-<date>-<n>
  bool overwrite = false;
  std::int64_t seed = 0;
  int threads = 1;
  std::string checkpoint_every = "auto";
  std::filesystem::path checkpoint_dir;   ///< empty: RUN/checkpoint
  std::optional<std::string> time_limit;  ///< a duration or "auto"
  bool profile = false;
  bool quiet = false;
  bool stage = false;  ///< of a study, which tells the results and the way on; progress is shown all the same unless quiet
  bool verbose = false;
  bool json = false;
  std::filesystem::path config;
};

/// Declares them as the group "Run" at the end of a command's own options. `options` must outlive the schema.
void declare_common_options(OptionSchema& schema, CommonOptions& options);
/// The same for `tempera resume`: without those that only a new run has (output, overwrite, config).
void declare_resume_options(OptionSchema& schema, CommonOptions& options);
/// Those of a study: all else its stages say themselves. @param resumed  without what only a new run has
void declare_study_options(OptionSchema& schema, CommonOptions& options, bool resumed = false);

}  // namespace tempera::drivers
