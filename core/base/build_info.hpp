#pragma once

#include <string_view>

namespace tempera {

/// What this library was built from; goes into the manifest, `--version` and `doctor`.
struct BuildInfo {
  std::string_view version;     ///< "0.1.0"
  std::string_view git_hash;    ///< abbreviated commit, "-dirty" appended for local changes, "unknown" outside git
  std::string_view build_type;  ///< CMake build type
  std::string_view compiler;    ///< name and version
  std::string_view flags;       ///< compiler flags
};

const BuildInfo& build_info();

}  // namespace tempera
