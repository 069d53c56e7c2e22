#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/base/folder_lock.hpp"

namespace tempera::drivers {

/// Where a new run is to live.
struct RunPlace {
  std::filesystem::path
      output;  ///< empty: runs/<command>-<date>-<n> below the working directory, the first n that is free
  std::string command;
  bool overwrite = false;
  std::filesystem::path checkpoints;  ///< empty: checkpoint/ in the run folder
};

/// The folder of one run, as rank 0 keeps it: lock, manifest.json, progress.jsonl, summary.json, the results and the
/// folder of the checkpoints.
class RunFolder {
 public:
  using Say = std::function<void(const std::string&)>;

  /// Checks, without creating anything, that a new run may be written there.
  /// @param say  gets warnings: locks that were waited for or taken over, a folder that was made again
  /// @throws Error{environment} where the folder exists and is not empty (unless `overwrite`), is no folder, is in use
  ///         or cannot be written
  RunFolder(RunPlace place, Say say);
  /// Takes the lock of a run that is to go on. `manifest` is the one that was read from it.
  /// @throws Error{environment} if it is in use or cannot be written
  static RunFolder reopen(const std::filesystem::path& path, nlohmann::ordered_json manifest, Say say);

  /// Final after begin().
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const char* name) const { return path_ / name; }
  /// Absolute; final after begin().
  const std::filesystem::path& checkpoints() const { return checkpoints_; }

  /// Refuses results of `bytes` that the file system of the output has no room for.
  /// @throws Error{environment} naming both figures
  void check_space(double bytes) const;

  /// Creates and locks the folder and writes the manifest with the start time; with `overwrite` files and checkpoints
  /// of an earlier run in it are removed, others are left alone. Of several runs that were told the same folder and
  /// found it empty one gets it; of several without one each gets a folder of its own.
  /// @throws Error{environment}
  void begin(nlohmann::ordered_json manifest);
  /// Notes in the manifest that the run goes on, with which options (as options_to_json gives them) and whatever else
  /// `resume` says. @throws Error{environment}
  void begin_again(const nlohmann::ordered_json& options, const nlohmann::ordered_json& resume);
  /// Completes that note. @throws Error{environment}
  void resumed_from(int generation);
  /// Rewrites the manifest with the end time and the exit status.
  void finish(int exit_status);
  /// summary.json, whole or not at all.
  void write_summary(const nlohmann::ordered_json& summary) const;

  /// Looks whether the folder or its lock has vanished; then makes the folder again with what it has to hold, if
  /// the folder above is still there, warns and calls `reopen` for the files that were open.
  /// @throws Error{environment} if another run lives there by now, or the folder cannot be made
  void recover(const std::function<void()>& reopen);
  /// Whether a recovery is due, as far as the lock's heartbeat knows. Costs nothing.
  bool lost() const;

 private:
  RunFolder(std::filesystem::path path, std::string command, Say say);
  void check_existing() const;
  bool make_explicit() const;  // true if the folder is new
  void remove_earlier() const;
  void lock(const std::filesystem::path& folder);
  bool restore(FolderLock& lock) const;
  void claim_checkpoints();
  void write_manifest() const;

  std::filesystem::path path_;
  std::filesystem::path checkpoints_;
  std::string command_;
  std::string default_stem_;  // of the folder's name, until begin() chooses it; empty where it was given
  bool overwrite_ = false;
  nlohmann::ordered_json manifest_;
  Say say_;
  std::vector<std::unique_ptr<FolderLock>> locks_;
};

}  // namespace tempera::drivers
