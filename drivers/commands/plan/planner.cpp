#include "drivers/commands/plan/planner.hpp"

#include <fmt/format.h>

#include "core/base/atomic_file.hpp"
#include "drivers/commands/plan.hpp"

namespace tempera::drivers {

namespace {

constexpr int kMostRanks = 1 << 24;

struct Entry {
  std::string_view engine;
  std::unique_ptr<Planner> (*make)();
};
constexpr Entry kPlanners[] = {
    {"decompose", decompose_planner}, {"sample", sample_planner}, {"optimize", optimize_planner}};

}  // namespace

Planner::Planner(const std::string& command) : schema_(command, std::string(kPlanSummary)) {}

void Planner::declare_plan_options() {
  schema_.group("Plan");
  schema_.integer("ranks", plan_options_.ranks).minimum(1).maximum(kMostRanks).required().help("MPI ranks to plan for");
  schema_.path("machine", plan_options_.machine)
      .absent("none")
      .metavar("FILE")
      .help(
          "what the nodes can do, as `tempera doctor --machine-file` writes it; none: a middling cluster of about "
          "2020");
  schema_.path("figure", plan_options_.figure)
      .absent("none")
      .metavar("FILE.svg")
      .help("draw the scaling tables into this file");
}

Machine Planner::machine() const {
  return plan_options_.machine ? read_machine(*plan_options_.machine) : Machine();
}

std::string Planner::machine_name() const {
  return plan_options_.machine ? plan_options_.machine->string()
                               : "a middling cluster of about 2020 (no --machine FILE)";
}

std::string Planner::draw(const Plan& plan) const {
  if (!plan_options_.figure) return {};
  write_file_atomically(*plan_options_.figure, scaling_figure(plan.title, plan.curves));
  return fmt::format("\nfigure: {}\n", plan_options_.figure->string());
}

std::unique_ptr<Planner> planner_for(std::span<const std::string>& arguments) {
  for (const Entry& entry : kPlanners)
    if (!arguments.empty() && arguments.front() == entry.engine) {
      arguments = arguments.subspan(1);
      return entry.make();
    }
  return decompose_planner();
}

}  // namespace tempera::drivers
