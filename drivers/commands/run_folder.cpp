#include "drivers/commands/run_folder.hpp"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <mpi.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <ctime>
#include <set>
#include <system_error>

#include "core/base/atomic_file.hpp"
#include "core/base/build_info.hpp"
#include "core/base/error.hpp"
#include "core/base/simd.hpp"
#include "core/base/system_error.hpp"
#include "core/base/text.hpp"

extern "C" char* openblas_get_config(void);

namespace tempera::drivers {

namespace fs = std::filesystem;

namespace {

constexpr std::array kRunFiles = {"manifest.json", "progress.jsonl", "summary.json", "factors.h5", "report.html"};

[[noreturn]] void refuse(const fs::path& path, const std::string& what, const std::string& hint) {
  throw Error(Category::environment, path.string(), what, hint);
}

constexpr const char* kElsewhere = "choose another --output";

/// @throws Error{environment} where the system does not even tell: a name that is too long, a folder without permission
bool is_there(const fs::path& path) {
  std::error_code error;
  const bool found = fs::exists(path, error);
  if (error) refuse(path, "the output cannot be reached: " + error.message(), kElsewhere);
  return found;
}

/// The nearest folder on the way up that exists: where the run folder would be created.
fs::path existing_ancestor(const fs::path& output) {
  std::error_code error;
  fs::path path = fs::absolute(output, error);
  if (error) refuse(output, "the working directory cannot be reached: " + error.message(), kElsewhere);
  while (path != path.root_path() && !is_there(path)) path = path.parent_path();
  return path;
}

std::string default_stem(const std::string& command) {
  return fmt::format("runs/{}-{:%Y%m%d}-", command, fmt::localtime(std::time(nullptr)));
}

void create_folders(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) refuse(path, "the output folder cannot be created: " + error.message(), kElsewhere);
}

/// Names of files may be no UTF-8; their wrong bytes are replaced.
std::string text(const nlohmann::ordered_json& json) {
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

/// Creates the first default folder that is free; of runs that start together each gets its own.
fs::path create_default(const std::string& stem) {
  create_folders(fs::path(stem).parent_path());
  for (int n = 1;; ++n) {
    const fs::path candidate = stem + std::to_string(n);
    if (::mkdir(candidate.c_str(), 0777) == 0) return candidate;
    if (errno != EEXIST) throw write_error(candidate, errno);
  }
}

/// Writes a file that must not exist yet: of runs that start together one gets the folder.
void claim(const fs::path& folder, const fs::path& manifest, const std::string& text) {
  const int descriptor = ::open(manifest.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor < 0 && errno == EEXIST)
    refuse(folder, "another run has begun in the output folder meanwhile", kElsewhere);
  if (descriptor < 0) throw write_error(manifest, errno);
  int problem = write_all(descriptor, text);
  if (problem == 0 && ::fsync(descriptor) != 0) problem = errno;
  ::close(descriptor);
  if (problem == 0) return;
  ::unlink(manifest.c_str());
  throw write_error(manifest, problem);
}

}  // namespace

std::string utc_time() {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
}

RunFolder::RunFolder(const fs::path& output, const std::string& command, bool overwrite)
    : path_(output), overwrite_(overwrite) {
  if (output.empty()) {
    default_stem_ = default_stem(command);
    path_ = fs::path(default_stem_).parent_path();
  } else if (is_there(path_)) {
    check_existing();
  }
  const fs::path ancestor = existing_ancestor(path_);
  std::error_code error;
  if (!fs::is_directory(ancestor, error)) refuse(path_, ancestor.string() + " is not a folder", kElsewhere);
  if (access(ancestor.c_str(), W_OK | X_OK) != 0)
    refuse(path_, "no permission to write in " + ancestor.string(), kElsewhere);
}

void RunFolder::check_existing() const {
  std::error_code error;
  if (!fs::is_directory(path_, error)) refuse(path_, "the output exists and is not a folder", kElsewhere);
  const bool empty = fs::is_empty(path_, error);
  if (error)
    refuse(path_, "the output folder cannot be read: " + error.message(),
           "check its permissions, or choose another --output");
  if (!empty && !overwrite_)
    refuse(path_, "the output folder is not empty", "choose another --output, or --overwrite to replace the run in it");
}

void RunFolder::check_space(double bytes) const {
  std::error_code error;
  const fs::space_info space = fs::space(existing_ancestor(path_), error);
  if (error || space.capacity == 0) return;  // some file systems do not say
  double free_bytes = static_cast<double>(space.available);
  for (const char* name : kRunFiles) {  // an earlier run's go when this one begins
    const auto earlier = fs::file_size(path_ / name, error);
    if (overwrite_ && !error) free_bytes += static_cast<double>(earlier);
  }
  if (bytes > free_bytes)
    refuse(
        default_stem_.empty() ? path_ / "factors.h5" : fs::path("factors.h5"),
        fmt::format("cannot be written: about {} are needed, {} are free", human_bytes(bytes), human_bytes(free_bytes)),
        write_error(path_, ENOSPC).hint());
}

void RunFolder::begin(nlohmann::ordered_json manifest) {
  manifest_ = std::move(manifest);
  manifest_["start"] = utc_time();
  manifest_["end"] = nullptr;
  manifest_["exit_status"] = nullptr;
  const bool made = default_stem_.empty() ? make_explicit() : true;
  if (!default_stem_.empty()) path_ = create_default(default_stem_);
  try {
    claim(path_, path_ / "manifest.json", text(manifest_));
  } catch (const Error&) {
    if (made) ::rmdir(path_.c_str());  // does nothing where another run is at home already
    throw;
  }
}

bool RunFolder::make_explicit() const {
  if (!is_there(path_)) {
    create_folders(path_);
    return true;
  }
  for (const char* name : kRunFiles) {
    std::error_code error;
    if (overwrite_) fs::remove(path_ / name, error);
    if (error) refuse(path_ / name, "an earlier result cannot be removed: " + error.message(), kElsewhere);
  }
  return false;
}

void RunFolder::finish(int exit_status) {
  manifest_["end"] = utc_time();
  manifest_["exit_status"] = exit_status;
  write_file_atomically(path_ / "manifest.json", text(manifest_));
}

void RunFolder::write_summary(const nlohmann::ordered_json& summary) const {
  write_file_atomically(path_ / "summary.json", text(summary));
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
