#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/data.hpp"
#include "tests/support/process.hpp"

namespace tempera::test {

using Arguments = std::vector<std::string>;

/// A Slurm that cluster/local_slurm/up starts on construction, and down ends on destruction.
class LocalSlurm {
 public:
  /// @param options  of up
  explicit LocalSlurm(const Arguments& options = {});
  ~LocalSlurm();
  LocalSlurm(const LocalSlurm&) = delete;
  LocalSlurm& operator=(const LocalSlurm&) = delete;

  /// The one that all tests of this process share; it is ended with the process.
  static LocalSlurm& shared();

  const ProcessResult& started() const { return started_; }
  std::filesystem::path folder() const { return scratch_ / "slurm"; }
  /// What a person has after `eval "$(up)"` and `export PATH="$PWD/build:$PATH"`.
  ProcessSettings settings() const;
  ProcessResult up(const Arguments& options = {}) const;
  ProcessResult down() const;
  /// Of FOLDER/NAME.pid; 0 if there is none.
  pid_t process_of(const std::string& name) const;

 private:
  TemporaryFolder scratch_;
  ProcessResult started_;
};

/// A folder to submit jobs from. Skipped where Slurm cannot start.
class SlurmJobs : public testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;  ///< no job is left to the next test

  ProcessResult run(const Arguments& command, double seconds = 60) const;
  /// `sbatch --parsable ARGUMENTS`, of a template by its name. @return number of the job
  std::string submit(const std::string& name, const Arguments& options, const Arguments& arguments) const;
  /// A field of `scontrol show job`: "JobState", "Restarts", "NodeList", "ExitCode".
  std::string field(const std::string& job, const std::string& name) const;
  /// Waits until the job is over. @return its state: "COMPLETED", or "still RUNNING" when that takes too long
  std::string state_at_end(const std::string& job, double seconds = 240) const;
  /// Waits until it is in the queue again or running for the `times`-th time after the first.
  bool wait_for_restart(const std::string& job, int times, double seconds = 120) const;
  /// Waits for the file of a run to have so many lines with `part`.
  bool wait_for_lines(const std::string& name, const std::string& part, int count, double seconds = 120) const;
  /// What a template printed.
  std::string output(const std::string& name, const std::string& job) const { return text(name + "-" + job + ".out"); }

  std::filesystem::path path(const std::string& name) const { return folder_ / name; }
  std::string text(const std::string& name) const;
  nlohmann::json json(const std::string& name) const { return nlohmann::json::parse(text(name)); }

  TemporaryFolder folder_;
};

}  // namespace tempera::test
