#include "drivers/run/run_folder.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <system_error>

#include "core/base/atomic_file.hpp"
#include "core/base/error.hpp"
#include "core/base/system_error.hpp"
#include "core/base/text.hpp"
#include "distributed/checkpoint/checkpoint_store.hpp"
#include "drivers/run/manifest.hpp"

namespace tempera::drivers {

namespace fs = std::filesystem;

namespace {

constexpr std::array kRunFiles = {"manifest.json", "progress.jsonl", "summary.json", "summary.txt",
                                  "factors.h5",    "draws.nc",       "report.html",  "trials.jsonl",
                                  "journal.jsonl", "space.toml",     "study.toml",   "profile.json"};
constexpr const char* kTrials = "trials";  // a folder a trial
constexpr const char* kStages = "stages";  // of a study

constexpr const char* kCheckpoints = "checkpoint";

[[noreturn]] void refuse(const fs::path& path, const std::string& what, const std::string& hint) {
  throw Error(Category::environment, path.string(), what, hint);
}

constexpr const char* kElsewhere = "choose another --output";

void remove_folder(const fs::path& folder) {
  std::error_code error;
  fs::remove_all(folder, error);
  if (error) refuse(folder, "an earlier result cannot be removed: " + error.message(), kElsewhere);
}

constexpr int kAttempts = 10;  // to make a folder again that is being removed

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

void check_writable(const fs::path& folder) {
  const fs::path ancestor = existing_ancestor(folder);
  std::error_code error;
  if (!fs::is_directory(ancestor, error)) refuse(folder, ancestor.string() + " is not a folder", kElsewhere);
  if (access(ancestor.c_str(), W_OK | X_OK) != 0)
    refuse(folder, "no permission to write in " + ancestor.string(), kElsewhere);
}

/// A run that was killed, stopped or failed.
bool is_unfinished(const fs::path& run) {
  try {
    return read_manifest(run).at("exit_status") != 0;
  } catch (const std::exception&) {
    return false;
  }
}

/// What an earlier process of this run was writing when it was killed (see AtomicFile); draws may be gigabytes.
void remove_unfinished_files(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> found;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
    for (const char* name : kRunFiles)
      if (entry->path().filename().string().starts_with(fmt::format(".{}.partial-", name)))
        found.push_back(entry->path());
  for (const fs::path& path : found) fs::remove(path, error);  // what stays does no harm
}

}  // namespace

RunFolder::RunFolder(fs::path path, std::string command, Say say)
    : path_(std::move(path)), command_(std::move(command)), say_(std::move(say)) {}

RunFolder::RunFolder(RunPlace place, Say say) : RunFolder(place.output, place.command, std::move(say)) {
  overwrite_ = place.overwrite;
  checkpoints_ = place.checkpoints;
  if (path_.empty()) {
    default_stem_ = default_stem(command_);
    path_ = fs::path(default_stem_).parent_path();
  } else if (is_there(path_)) {
    check_existing();
  }
  check_writable(path_);
  if (checkpoints_.empty()) return;
  check_writable(checkpoints_);
  if (!overwrite_ && !generation_numbers(checkpoints_).empty())
    refuse(checkpoints_, "holds the checkpoints of another run",
           "choose another --checkpoint-dir, or --overwrite to replace them");
}

RunFolder RunFolder::reopen(const fs::path& path, nlohmann::ordered_json manifest, Say say) {
  RunFolder run(path, manifest.at("command"), std::move(say));
  run.manifest_ = std::move(manifest);
  check_writable(path);
  run.lock(path);
  run.checkpoints_ = path / run.manifest_.at("checkpoint_folder").get<std::string>();  // may be absolute
  run.claim_checkpoints();
  return run;
}

void RunFolder::lock(const fs::path& folder) {
  locks_.push_back(std::make_unique<FolderLock>(folder, "tempera " + command_, LockSettings{}, say_));
}

/// A folder of checkpoints outside the run folder is nobody else's meanwhile.
void RunFolder::claim_checkpoints() {
  if (checkpoints_ == path_ / kCheckpoints) return;
  create_folders(checkpoints_);
  lock(checkpoints_);
}

void RunFolder::check_existing() const {
  std::error_code error;
  if (!fs::is_directory(path_, error)) refuse(path_, "the output exists and is not a folder", kElsewhere);
  const bool empty = fs::is_empty(path_, error);
  if (error)
    refuse(path_, "the output folder cannot be read: " + error.message(),
           "check its permissions, or choose another --output");
  const auto owner = FolderLock::inspect(path_);
  if (owner && owner->state == LockState::alive)
    refuse(path_, "is in use by " + owner->owner.description(), kElsewhere);
  if (!empty && !overwrite_)
    refuse(path_, "the output folder is not empty",
           is_unfinished(path_) ? fmt::format("choose another --output, --overwrite to replace the run in it, or go on "
                                              "with it: tempera resume {}",
                                              path_.string())
                                : "choose another --output, or --overwrite to replace the run in it");
}

void RunFolder::check_space(double bytes) const {
  std::error_code error;
  const fs::space_info space = fs::space(existing_ancestor(path_), error);
  if (error || space.capacity == 0) return;  // some file systems do not say
  double free_bytes = static_cast<double>(space.available);
  for (const char* name : kRunFiles) {  // an earlier run's go when this one begins, or are replaced
    const auto earlier = fs::file_size(path_ / name, error);
    if (!error) free_bytes += static_cast<double>(earlier);
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
    lock(path_);
    if (overwrite_) remove_earlier();
    const bool inside = checkpoints_.empty();  // then it moves with the run
    checkpoints_ = inside ? path_ / kCheckpoints : fs::absolute(checkpoints_).lexically_normal();
    manifest_["checkpoint_folder"] = inside ? kCheckpoints : checkpoints_.string();
    if (is_there(path_ / "manifest.json"))
      refuse(path_, "another run has begun in the output folder meanwhile", kElsewhere);
    write_manifest();
    claim_checkpoints();
    if (overwrite_) CheckpointStore::clear(checkpoints_);
  } catch (const Error&) {
    locks_.clear();
    if (made) ::rmdir(path_.c_str());  // does nothing where another run is at home already
    throw;
  }
}

bool RunFolder::make_explicit() const {
  if (is_there(path_)) return false;
  create_folders(path_);
  return true;
}

void RunFolder::remove_earlier() const {
  if (is_there(path_ / "study.toml")) remove_folder(path_ / kStages);
  remove_folder(path_ / kTrials);
  for (const char* name : kRunFiles) {
    std::error_code error;
    fs::remove(path_ / name, error);
    if (error) refuse(path_ / name, "an earlier result cannot be removed: " + error.message(), kElsewhere);
  }
  remove_unfinished_files(path_);
  CheckpointStore::clear(path_ / kCheckpoints);
}

void RunFolder::begin_again(const nlohmann::ordered_json& options, const nlohmann::ordered_json& resume) {
  remove_unfinished_files(path_);
  nlohmann::ordered_json& values = manifest_["options"]["values"];
  for (const auto& [name, value] : options.at("values").items())
    if (values.contains(name)) values[name] = value;
  manifest_["end"] = nullptr;
  manifest_["exit_status"] = nullptr;
  nlohmann::ordered_json entry = {{"start", utc_time()}};
  entry.update(resume);
  manifest_["resumes"].push_back(std::move(entry));
  write_manifest();
}

void RunFolder::resumed_from(int generation) {
  manifest_["resumes"].back()["generation"] = generation;
  write_manifest();
}

void RunFolder::finish(int exit_status) {
  manifest_["end"] = utc_time();
  manifest_["exit_status"] = exit_status;
  write_manifest();
}

void RunFolder::write_manifest() const {
  write_file_atomically(path_ / "manifest.json", text(manifest_));
}

bool RunFolder::lost() const {
  return std::any_of(locks_.begin(), locks_.end(), [](const auto& lock) { return lock->lost(); });
}

void RunFolder::recover(const std::function<void()>& reopen) {
  bool lost = false;
  for (int attempt = 1;; ++attempt) {
    try {
      for (const auto& lock : locks_) lost |= restore(*lock);
      if (!lost) return;
      write_manifest();
      return reopen();
    } catch (const Error&) {
      const bool stands = is_there(path_ / "manifest.json") &&
                          std::none_of(locks_.begin(), locks_.end(), [](const auto& lock) { return lock->check(); });
      if (stands || attempt == kAttempts) throw;  // else a removal that is not over took what was just made
    }
  }
}

/// Whether that was necessary.
bool RunFolder::restore(FolderLock& lock) const {
  if (!lock.check()) return false;
  std::error_code error;
  // Not the folders above: where a disk is no longer mounted nothing should be written in its place.
  if (fs::create_directory(lock.folder(), error))
    say_(fmt::format("{}: the folder was removed while the run went on; it is made again", lock.folder().string()));
  if (error) throw write_error(lock.folder(), error.value());
  lock.restore();
  return true;
}

void RunFolder::write_summary(const nlohmann::ordered_json& summary) const {
  write_file_atomically(path_ / "summary.json", text(summary));
}

}  // namespace tempera::drivers
