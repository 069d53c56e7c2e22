#include "drivers/commands/run_folder.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <mpi.h>
#include <unistd.h>

#include <array>
#include <ctime>
#include <set>
#include <system_error>

#include "core/base/atomic_file.hpp"
#include "core/base/build_info.hpp"
#include "core/base/error.hpp"
#include "core/base/simd.hpp"

extern "C" char* openblas_get_config(void);

namespace tempera::drivers {

namespace fs = std::filesystem;

namespace {

constexpr std::array kRunFiles = {"manifest.json", "progress.jsonl", "summary.json", "factors.h5", "report.html"};

/// The nearest folder on the way up that exists: where the run folder would be created.
fs::path existing_ancestor(fs::path path) {
  path = fs::absolute(path);
  while (!path.empty() && path != path.root_path() && !fs::exists(path)) path = path.parent_path();
  return path;
}

fs::path free_default(const std::string& command) {
  const std::string stem = fmt::format("runs/{}-{:%Y%m%d}-", command, fmt::localtime(std::time(nullptr)));
  for (int n = 1;; ++n)
    if (const fs::path candidate = stem + std::to_string(n); !fs::exists(candidate)) return candidate;
}

[[noreturn]] void refuse(const fs::path& path, const std::string& what, const std::string& hint) {
  throw Error(Category::environment, path.string(), what, hint);
}

}  // namespace

std::string utc_time() {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
}

RunFolder::RunFolder(const fs::path& output, const std::string& command, bool overwrite)
    : path_(output.empty() ? free_default(command) : output) {
  std::error_code error;
  if (fs::exists(path_, error)) {
    if (!fs::is_directory(path_, error))
      refuse(path_, "the output exists and is not a folder", "choose another --output");
    const bool empty = fs::is_empty(path_, error);
    if (error)
      refuse(path_, "the output folder cannot be read: " + error.message(),
             "check its permissions, or choose another --output");
    if (!empty && !overwrite)
      refuse(path_, "the output folder is not empty",
             "choose another --output, or --overwrite to replace the run in it");
  }
  const fs::path ancestor = existing_ancestor(path_);
  if (!fs::is_directory(ancestor, error))
    refuse(path_, ancestor.string() + " is not a folder", "choose another --output");
  if (access(ancestor.c_str(), W_OK | X_OK) != 0)
    refuse(path_, "no permission to write in " + ancestor.string(), "choose another --output");
}

void RunFolder::begin(nlohmann::ordered_json manifest) {
  std::error_code error;
  fs::create_directories(path_, error);
  if (error) refuse(path_, "the output folder cannot be created: " + error.message(), "choose another --output");
  for (const char* name : kRunFiles) {
    fs::remove(path_ / name, error);
    if (error)
      refuse(path_ / name, "an earlier result cannot be removed: " + error.message(), "choose another --output");
  }
  manifest_ = std::move(manifest);
  manifest_["start"] = utc_time();
  manifest_["end"] = nullptr;
  manifest_["exit_status"] = nullptr;
  write_file_atomically(path_ / "manifest.json", manifest_.dump(2) + "\n");
}

void RunFolder::finish(int exit_status) {
  manifest_["end"] = utc_time();
  manifest_["exit_status"] = exit_status;
  write_file_atomically(path_ / "manifest.json", manifest_.dump(2) + "\n");
}

void RunFolder::write_summary(const nlohmann::ordered_json& summary) const {
  write_file_atomically(path_ / "summary.json", summary.dump(2) + "\n");
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
  manifest["blas_version"] = openblas_get_config();
  manifest["simd"] = name(simd_level());
  manifest["mpi_ranks"] = mpi_ranks;
  manifest["hosts"] = std::set<std::string>(hosts.begin(), hosts.end());
  return manifest;
}

}  // namespace tempera::drivers
