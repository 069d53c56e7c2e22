#pragma once

#include <cstdint>
#include <filesystem>

#include "core/base/option_schema.hpp"

namespace tempera::drivers {

/// Options of every command that computes and writes a run folder.
struct CommonOptions {
  std::filesystem::path output;  ///< empty: runs/<command>-<date>-<n>
  bool overwrite = false;
  std::int64_t seed = 0;
  int threads = 1;
  bool profile = false;
  bool quiet = false;
  bool verbose = false;
  bool json = false;
  std::filesystem::path config;
};

/// Declares them as the group "Run" at the end of a command's own options. `options` must outlive the schema.
void declare_common_options(OptionSchema& schema, CommonOptions& options);

}  // namespace tempera::drivers
