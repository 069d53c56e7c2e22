#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/option_schema.hpp"
#include "distributed/communicator/communicator.hpp"
#include "drivers/commands/plan/scaling_figure.hpp"
#include "drivers/machine/machine.hpp"

namespace tempera::drivers {

/// What `tempera plan` says of a run that has not begun.
struct Plan {
  std::string text;                   ///< for people, ended by a newline; without the warnings
  nlohmann::ordered_json json;        ///< the same for scripts, each number with its unit in the key
  std::vector<std::string> warnings;  ///< "communication dominates …": shown below the text and in the JSON
  std::string title;                  ///< of the figure
  std::vector<ScalingCurve> curves;   ///< that it shows
};

/// What every engine's plan is told beside the options of the engine's own command.
struct PlanOptions {
  int ranks = 0;                                 ///< MPI ranks of the run
  std::optional<std::filesystem::path> machine;  ///< what it runs on; the defaults of Machine otherwise
  std::optional<std::filesystem::path> figure;   ///< to be written
};

/// One engine's part of the command. A planner lives on every process, plan() is called on one.
class Planner {
 public:
  virtual ~Planner() = default;
  Planner(const Planner&) = delete;
  Planner& operator=(const Planner&) = delete;

  /// The engine's own options (its declare function), and those of declare_plan_options.
  OptionSchema& schema() { return schema_; }
  /// Once the command line is parsed: checks what needs no data. @throws Error{usage}
  virtual void complete() = 0;
  /// `self` is this process alone, with MPI running. @throws Error{usage, input, environment}
  virtual Plan plan(const Communicator& self) = 0;
  /// --json was given.
  virtual bool json() const = 0;
  /// OpenMP threads of a rank of the run, which plan() may use as well.
  virtual int threads() const = 0;
  /// The figure, if one is wanted. @return what to say of it at the end of the text @throws Error{environment}
  std::string draw(const Plan& plan) const;

 protected:
  /// @param command  as a person types it: "plan", "plan sample"
  explicit Planner(const std::string& command);
  /// The group "Plan": --ranks N, --machine FILE and --figure FILE.svg.
  void declare_plan_options();
  /// The machine file if one was given. @throws Error{usage} as read_machine
  Machine machine() const;
  /// Its name for people: the file, or what the defaults are.
  std::string machine_name() const;

  PlanOptions plan_options_;
  OptionSchema schema_;
};

/// The planner of the engine that the first argument names, and the arguments without that word; the one of decompose where
/// it names none.
std::unique_ptr<Planner> planner_for(std::span<const std::string>& arguments);

std::unique_ptr<Planner> decompose_planner();
std::unique_ptr<Planner> sample_planner();
std::unique_ptr<Planner> optimize_planner();

}  // namespace tempera::drivers
