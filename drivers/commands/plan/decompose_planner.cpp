#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "core/base/error.hpp"
#include "distributed/als/cp_observed_sweep.hpp"
#include "drivers/commands/decompose_options.hpp"
#include "drivers/commands/plan/decompose_estimate.hpp"
#include "drivers/commands/plan/decompose_report.hpp"
#include "drivers/commands/plan/planner.hpp"

namespace tempera::drivers {

namespace {

/// A run folder names its input; what a person wants is most likely that.
void refuse_folder(const std::string& input) {
  if (!std::filesystem::is_directory(input)) return;
  const bool run = std::filesystem::exists(std::filesystem::path(input) / "manifest.json");
  throw Error(Category::input, input, run ? "is the folder of a run, not a tensor" : "is a folder, not a tensor",
              run ? "name the tensor that it was made from: manifest.json in it says which (input.path)"
                  : "name a tensor file: .tns, .tns.gz, .npy, .h5");
}

class DecomposePlanner final : public Planner {
 public:
  DecomposePlanner() : Planner("plan") {
    declare(schema_, options_);
    schema_.example(
        "tempera plan ratings.tns.gz --rank 16 --constraint nonnegative --ranks 512 --machine cluster.toml");
    declare_plan_options();
  }

  void complete() override {
    refuse_folder(options_.input);
    drivers::complete(schema_, options_);
    grid_ = parse_grid(options_.grid, plan_options_.ranks);
    machine_ = machine();
  }
  bool json() const override { return options_.common.json; }
  int threads() const override { return options_.common.threads; }

  Plan plan(const Communicator& self) override {
    const LoadOptions load = load_options(options_);
    if (options_.restarts > 1 && options_.start_groups.value_or(1) > 1)
      throw Error(Category::usage, "--start-groups", "a plan is of one group of ranks",
                  "leave it out, and give the ranks of one group as --ranks");
    PlannedTensor tensor(self, read_tensor(self, options_.input, load), load.distribution);
    DecomposeEstimates estimates(tensor, fit_options(tensor), options_.loss == "poisson", options_.common.threads,
                                 machine_);
    return decompose_plan({options_, plan_options_.ranks, grid_, machine_name()}, tensor, estimates);
  }

 private:
  CpOptions fit_options(const PlannedTensor& tensor) const {
    CpOptions fit = cp_options(options_, static_cast<int>(tensor.shape().size()));
    fit.init = options_.init == "nvecs" ? CpInit::nvecs : CpInit::random;
    check_cp_options(tensor.shape(), fit);
    return fit;
  }

  DecomposeOptions options_;
  std::vector<int> grid_;
  Machine machine_;
};

}  // namespace

std::unique_ptr<Planner> decompose_planner() {
  return std::make_unique<DecomposePlanner>();
}

}  // namespace tempera::drivers
