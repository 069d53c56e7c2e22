#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>

#include "distributed/bayesopt/scheduler.hpp"
#include "drivers/commands/optimize/optimize_problem.hpp"

namespace tempera::drivers {

/// A trial for people and scripts: its point and value in natural units.
nlohmann::ordered_json trial_json(const OptimizeProblem& problem, const Scheduler& scheduler, const Trial& trial);

/// trials.jsonl on rank 0: an object a trial that counts, in the order of counting, each line whole when it is there.
class TrialsFile {
 public:
  explicit TrialsFile(const OptimizeProblem& problem) : problem_(problem) {}
  ~TrialsFile();
  TrialsFile(const TrialsFile&) = delete;
  TrialsFile& operator=(const TrialsFile&) = delete;

  /// Writes the trials so far, whatever was there, and stays open. @throws Error{environment}, as below
  void begin(const std::filesystem::path& file, const Scheduler& scheduler);
  /// @pre begin was called
  void add(const Scheduler& scheduler, const Trial& trial);

 private:
  void close();
  std::string line_of(const Scheduler& scheduler, const Trial& trial) const;

  const OptimizeProblem& problem_;
  std::filesystem::path file_;
  int descriptor_ = -1;
};

}  // namespace tempera::drivers
