#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

namespace tempera::drivers {

/// The folder of one run, as rank 0 keeps it: manifest.json, progress.jsonl, summary.json and the results.
class RunFolder {
 public:
  /// Checks, without creating anything, that a run may be written there.
  /// @param output   empty: runs/<command>-<date>-<n> below the working directory, n the first that is free
  /// @throws Error{environment} where the folder exists and is not empty (unless `overwrite`), is no folder, or cannot
  ///         be written
  RunFolder(const std::filesystem::path& output, const std::string& command, bool overwrite);

  /// Final after begin().
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const char* name) const { return path_ / name; }

  /// Refuses results of `bytes` that the file system of the output has no room for.
  /// @throws Error{environment} naming both figures
  void check_space(double bytes) const;

  /// Creates the folder and writes the manifest with the start time; with `overwrite` files of an earlier run in it are
  /// removed, others are left alone. Of several runs that were told the same folder and found it empty one gets it; of
  /// several without one each gets a folder of its own.
  /// @throws Error{environment}
  void begin(nlohmann::ordered_json manifest);
  /// Rewrites the manifest with the end time and the exit status.
  void finish(int exit_status);
  /// summary.json, whole or not at all.
  void write_summary(const nlohmann::ordered_json& summary) const;

 private:
  void check_existing() const;
  bool make_explicit() const;  // true if the folder is new

  std::filesystem::path path_;
  std::string default_stem_;  // of the folder's name, until begin() chooses it; empty where it was given
  bool overwrite_ = false;
  nlohmann::ordered_json manifest_;
};

/// What every manifest says of program, machine and job: version, git hash, compiler, flags, MPI and BLAS versions,
/// number of ranks and their hosts (one name a node).
nlohmann::ordered_json manifest_of_build(int mpi_ranks, const std::vector<std::string>& hosts);

/// Now, as 2026-01-31T12:34:56Z.
std::string utc_time();

}  // namespace tempera::drivers
