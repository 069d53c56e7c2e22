#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/base/file_bytes.hpp"
#include "drivers/commands/plan/planner.hpp"
#include "drivers/commands/plan/sample_plan_text.hpp"

namespace tempera::drivers {

namespace {

/// The barrier that an earlier run of the same target found.
double barrier_of(const std::filesystem::path& run) {
  const std::filesystem::path file = run / "summary.json";
  if (!std::filesystem::exists(file))
    throw Error(Category::usage, "--like", fmt::format("{} has no summary.json", run.string()),
                "name the folder of a finished run of 'tempera sample'");
  const auto summary = nlohmann::json::parse(file_bytes(file), nullptr, false);
  if (!summary.is_object() || summary.value("command", "") != "sample")
    throw Error(Category::usage, "--like", fmt::format("{} is not a run of 'tempera sample'", run.string()),
                "name the folder of such a run");
  if (!summary.contains("barrier") || !summary["barrier"].is_number())
    throw Error(Category::usage, "--like", fmt::format("{} knows no barrier: it had one replica", run.string()),
                "name a run with --replicas auto, or give --barrier");
  return summary["barrier"];
}

class SamplePlanner final : public Planner {
 public:
  SamplePlanner() : Planner("plan sample") {
    schema_.example("tempera plan sample --target mixture --set modes=20 --ranks 64 --barrier 6");
    declare(schema_, options_);
    declare_plan_options();
    schema_.real("barrier", barrier_)
        .minimum(0)
        .absent("not known")
        .help("communication barrier between reference and target, of which the number of replicas depends");
    schema_.path("like", like_).metavar("RUN").help("take it from a finished run of this target");
  }

  void complete() override {
    drivers::complete(schema_, options_);
    if (barrier_ && !like_.empty())
      throw Error(Category::usage, "--like", "--barrier is given as well", "leave out one of the two");
    if (!like_.empty()) {
      barrier_ = barrier_of(like_);
      source_ = like_.string();
    }
  }

  Plan plan(const Communicator& self) override {
    const Machine on = machine();
    const SampleProblem problem = make_problem(self, options_, "", 1);
    SamplePlan plan = plan_sample(options_, problem, plan_options_.ranks, barrier_, on);
    plan.barrier_source = source_;
    const auto curve = [](const char* name, const std::vector<ScalingRow>& rows) {
      ScalingCurve made{name, {}};
      for (const ScalingRow& row : rows) made.points.emplace_back(row.ranks, row.speedup);
      return made;
    };
    return {sample_plan_text(plan, options_, machine_name()),
            sample_plan_json(plan, options_),
            sample_plan_warnings(plan, options_, on),
            fmt::format("Scans of {} with {}", plan.what, plan.explorer),
            {curve("strong scaling: this run", plan.scaling), curve("weak scaling: as many copies a rank", plan.weak)}};
  }

  bool json() const override { return options_.common.json; }
  int threads() const override { return options_.common.threads; }

 private:
  SampleOptions options_;
  std::optional<double> barrier_;
  std::filesystem::path like_;
  std::string source_ = "--barrier";
};

}  // namespace

std::unique_ptr<Planner> sample_planner() {
  return std::make_unique<SamplePlanner>();
}

}  // namespace tempera::drivers
