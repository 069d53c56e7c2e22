#include "drivers/run/manifest.hpp"

#include <fmt/format.h>
#include <mpi.h>

#include <fstream>
#include <set>

#include "core/base/build_info.hpp"
#include "core/base/error.hpp"
#include "core/base/simd.hpp"
#include "drivers/blas_library.hpp"

namespace tempera::drivers {

namespace fs = std::filesystem;

nlohmann::ordered_json read_manifest(const fs::path& run) {
  const fs::path path = run / "manifest.json";
  std::error_code error;
  if (!fs::exists(path, error))
    throw Error(Category::input, run.string(), fs::exists(run, error) ? "is not the folder of a run" : "does not exist",
                "name the folder that a run was given with --output; it holds a manifest.json");
  std::ifstream file(path, std::ios::binary);
  try {
    auto manifest = nlohmann::ordered_json::parse(file);
    for (const char* key : {"command", "options", "checkpoint_folder", "exit_status"})
      static_cast<void>(manifest.at(key));
    return manifest;
  } catch (const nlohmann::json::exception&) {
    throw Error(Category::input, path.string(), "the manifest is damaged, or of another version of tempera",
                "begin the run anew with --overwrite");
  }
}

nlohmann::ordered_json manifest_of_build(int mpi_ranks, const std::vector<std::string>& hosts) {
  const BuildInfo& build = build_info();
  char mpi_version[MPI_MAX_LIBRARY_VERSION_STRING] = "";
  int length = 0;
  MPI_Get_library_version(mpi_version, &length);
  std::string mpi = mpi_version;
  mpi = mpi.substr(0, mpi.find(','));
  nlohmann::ordered_json manifest;
  manifest["schema"] = 1;
  manifest["version"] = build.version;
  manifest["git_hash"] = build.git_hash;
  manifest["build_type"] = build.build_type;
  manifest["compiler"] = build.compiler;
  manifest["build_flags"] = build.flags;
  manifest["mpi_version"] = mpi;
  manifest["blas_version"] = blas_name();
  manifest["simd"] = name(simd_level());
  manifest["mpi_ranks"] = mpi_ranks;
  manifest["hosts"] = std::set<std::string>(hosts.begin(), hosts.end());
  return manifest;
}

}  // namespace tempera::drivers
