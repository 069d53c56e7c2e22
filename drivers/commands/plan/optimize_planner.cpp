#include <fmt/format.h>

#include <cmath>

#include "core/base/text.hpp"
#include "distributed/gaussian_process/sharded_gp_maker.hpp"
#include "drivers/commands/plan/optimize_plan.hpp"
#include "drivers/commands/plan/placement.hpp"
#include "drivers/commands/plan/planner.hpp"
#include "drivers/commands/plan/scaling.hpp"

namespace tempera::drivers {

namespace {

using Json = nlohmann::ordered_json;

constexpr double kLeastBusy = 0.5;  // of the workers' time

std::string percent(double share) {
  return fmt::format("{:.0f} %", 100 * share);
}

std::string layout_text(const OptimizePlan& plan, const OptimizeOptions& options) {
  if (plan.layout.is_alone()) return "one rank proposes and tries";
  std::string text = "rank 0 proposes and keeps the journal";
  if (plan.layout.model_ranks() > 0)
    text += fmt::format(", {} compute the model for it", plural(plan.layout.model_ranks(), "rank"));
  text += fmt::format(", {}", plural(plan.layout.groups(), plan.layout.ranks_per_trial() > 1 ? "group" : "rank"));
  if (plan.layout.ranks_per_trial() > 1) text += fmt::format(" of {} ranks", plan.layout.ranks_per_trial());
  text += plan.layout.groups() == 1 ? " tries" : " try";
  if (options.workers > 1) text += fmt::format(", {} commands each", options.workers);
  return text + fmt::format(": {} at once", plural(plan.workers, "trial"));
}

std::string proposals_text(const OptimizePlan& plan) {
  std::string text;
  for (const ProposalCost& cost : plan.shown)
    text += fmt::format("{}{} after {}", text.empty() ? "" : ", ", human_duration(cost.seconds),
                        plural(cost.trials, "trial"));
  if (!plan.measured_to_the_end)
    text += fmt::format(" (measured on this machine up to {}, carried on from there)", plan.measured.back().trials);
  else
    text += " (measured on this machine)";
  return text;
}

std::string model_ranks_text(const OptimizePlan& plan, const OptimizeOptions& options) {
  const ShardedGpMaker::Limits limits;
  const bool given = options.model_ranks > 0;
  if (options.budget >= limits.shared_from)
    return fmt::format("from {} trials on {} the covariance {}, and from {} on none of them holds it whole{}",
                       limits.shared_from, given ? "they factor" : "--model-ranks M factors",
                       given ? "together" : "on M ranks together", limits.spread_from,
                       given ? "" : "; the default of 0 leaves all of it to rank 0");
  if (given)
    return fmt::format(
        "each deals with its share of what is independent in a proposal (starts, draws, candidates); models are "
        "computed by all of them alike below {} trials",
        limits.shared_from);
  return fmt::format(
      "below {} trials a model is computed by one rank; --model-ranks M then deals what is independent in a proposal "
      "(starts, draws) over M ranks: at best {} with 4",
      limits.shared_from, human_duration(plan.shown.back().seconds / 4));
}

std::string sent_text(const OptimizePlan& plan) {
  std::string text =
      fmt::format("{} in {} for trials that succeed at once, {} beside them",
                  human_bytes(static_cast<double>(plan.of_trials.bytes)), plural(plan.of_trials.messages, "letter"),
                  human_bytes(static_cast<double>(plan.beside_trials.bytes)));
  if (plan.layout.model_ranks() > 0) {
    const Traffic& least = plan.times.back().of_model;  // with the longest trials
    text += fmt::format("; the ranks of the model get, give and deal about {} in {}",
                        human_bytes(static_cast<double>(least.bytes)), plural(least.messages, "message"));
  }
  if (plan.shared)
    text += fmt::format(
        ", and at the end {} and about {} of ScaLAPACK for each evidence that they compute together (a fit takes "
        "about {}, within a factor of two or three)",
        human_bytes(static_cast<double>(plan.shared->counted.bytes)), human_bytes(plan.shared->scalapack_bytes),
        plan.shared->of_a_fit);
  return text;
}

std::string table_text(const char* title, const std::vector<OptimizeScalingRow>& lines) {
  std::vector<std::vector<std::string>> rows{{"MPI ranks", "trials at once", "trials", "time", "speed-up", "busy"}};
  for (const OptimizeScalingRow& row : lines)
    rows.push_back({std::to_string(row.ranks), std::to_string(row.workers), std::to_string(row.trials),
                    human_duration(row.time.seconds), fmt::format("{:.2f}", row.speedup), percent(row.time.busy)});
  return fmt::format("{}\n{}", title, text_table(rows, TableColumns::right));
}

std::string text_of(const OptimizePlan& plan, const OptimizeOptions& options) {
  std::string text = fmt::format("Plan of optimising {} with {} on {}\n", plan.what, plural(options.budget, "trial"),
                                 plural(plan.layout.ranks(), "MPI rank"));
  const auto line = [&](const char* title, const std::string& content) {
    bool first = true;
    for (const std::string& part : wrap_words(content, 82)) {
      text += fmt::format("  {:12}{}\n", first ? title : "", part);
      first = false;
    }
  };
  line("layout", layout_text(plan, options));
  if (plan.layout.idle() > 0) line("idle", plural(plan.layout.idle(), "MPI rank"));
  if (options.has_model()) {
    line("proposals", proposals_text(plan));
    line("model ranks", model_ranks_text(plan, options));
    line("memory",
         fmt::format("about {} on {} at the end, {} of it the model", human_bytes(plan.growth),
                     plan.layout.model_ranks() > 0 ? "each rank of the model" : "rank 0", human_bytes(plan.memory)));
  } else {
    line("proposals", "take next to nothing: there is no model");
  }
  if (!plan.layout.is_alone()) line("sent", sent_text(plan));
  for (const OptimizeTimes& times : plan.times) {
    text += "\n";
    line("trials",
         fmt::format(
             "of {} each (80 to 120 %){}", human_duration(times.trial_seconds),
             std::isfinite(times.workers_served)
                 ? fmt::format(": proposals keep {} busy at the end of the run",
                               plural(std::max<Index>(1, std::llround(std::min(times.workers_served, 1e9))), "worker"))
                 : ""));
    text += table_text("Strong scaling: this run", times.rows);
    text += table_text("Weak scaling: as many trials a worker", times.weak);
  }
  return text;
}

Json rows_json(const std::vector<OptimizeScalingRow>& lines) {
  Json rows = Json::array();
  for (const OptimizeScalingRow& row : lines)
    rows.push_back({{"mpi_ranks", row.ranks},
                    {"workers", row.workers},
                    {"trials", row.trials},
                    {"seconds", row.time.seconds},
                    {"speedup", row.speedup},
                    {"busy_fraction", row.time.busy}});
  return rows;
}

Json json_of(const OptimizePlan& plan, const OptimizeOptions& options) {
  Json json;
  json["schema"] = 1;
  json["command"] = "plan optimize";
  json["objective"] = plan.what;
  json["mpi_ranks"] = plan.layout.ranks();
  json["budget"] = options.budget;
  json["layout"] = {{"workers", plan.workers},
                    {"groups", plan.layout.groups()},
                    {"ranks_per_trial", plan.layout.ranks_per_trial()},
                    {"model_ranks", plan.layout.model_ranks()},
                    {"idle_ranks", plan.layout.idle()}};
  json["proposals_measured"] = Json::array();
  for (const MeasuredProposal& cost : plan.measured)
    json["proposals_measured"].push_back(
        {{"trials", cost.trials}, {"seconds_fitting", cost.fitting}, {"seconds_following", cost.following}});
  json["proposals"] = Json::array();
  for (const ProposalCost& cost : plan.shown)
    json["proposals"].push_back({{"trials", cost.trials}, {"seconds", cost.seconds}});
  json["memory_growth_bytes"] = std::llround(plan.growth);
  json["model_bytes"] = std::llround(plan.memory);
  json["model_bytes_without_model_ranks"] = std::llround(plan.memory_alone);
  json["messages_of_trials"] = plan.of_trials.messages;
  json["bytes_of_trials"] = plan.of_trials.bytes;
  json["messages_beside_trials"] = plan.beside_trials.messages;
  json["bytes_beside_trials"] = plan.beside_trials.bytes;
  if (plan.shared)
    json["shared_evidence"] = {{"messages", plan.shared->counted.messages},
                               {"bytes", plan.shared->counted.bytes},
                               {"scalapack_bytes_estimate", std::llround(plan.shared->scalapack_bytes)},
                               {"of_a_fit_estimate", plan.shared->of_a_fit}};
  json["times"] = Json::array();
  for (const OptimizeTimes& times : plan.times) {
    json["times"].push_back(
        {{"trial_seconds", times.trial_seconds},
         {"workers_served", std::isfinite(times.workers_served) ? Json(times.workers_served) : Json(nullptr)},
         {"messages_of_model_estimate", times.of_model.messages},
         {"bytes_of_model_estimate", times.of_model.bytes},
         {"scaling", rows_json(times.rows)},
         {"weak_scaling", rows_json(times.weak)}});
  }
  return json;
}

std::vector<std::string> warnings_of(const OptimizePlan& plan, const OptimizeOptions& options, const Machine& machine) {
  std::vector<std::string> warnings;
  if (plan.layout.idle() > 0)
    warnings.push_back(fmt::format("{} of {} MPI ranks have nothing to do: a trial takes {}", plan.layout.idle(),
                                   plan.layout.ranks(), options.ranks_per_trial));
  if (plan.workers > options.budget)
    warnings.push_back(fmt::format("{} trials can run at once and {} are to be made", plan.workers, options.budget));
  for (const OptimizeTimes& times : plan.times) {
    const double busy = times.rows.back().time.busy;
    if (busy < kLeastBusy && times.workers_served < static_cast<double>(plan.workers))
      warnings.push_back(fmt::format(
          "with trials of {} proposals limit the run: workers are busy {} of the time; fewer ranks, --model-ranks, or "
          "--hyperparameters map",
          human_duration(times.trial_seconds), percent(busy)));
  }
  const int model = plan.layout.model_ranks();
  const int most = placement_of(machine, plan.layout.ranks(), static_cast<int>(options.common.threads)).ranks_per_node;
  const double needed = plan.growth * std::max(1, std::min(model, most));
  if (needed > machine.memory_per_node)
    warnings.push_back(
        fmt::format("memory does not fit: the model needs {} on a node that has {}; more --model-ranks over "
                    "more nodes, or a smaller --budget",
                    human_bytes(needed), human_bytes(machine.memory_per_node)));
  return warnings;
}

class OptimizePlanner final : public Planner {
 public:
  OptimizePlanner() : Planner("plan optimize") {
    schema_.example("tempera plan optimize --objective hartmann6 --budget 500 --ranks 33 --trial-seconds 20");
    declare(schema_, options_);
    declare_plan_options();
    schema_.real("trial-seconds", trial_seconds_)
        .above(0)
        .absent("1 s, 1 min and 1 h")
        .help("how long a trial takes, by your own estimate");
  }

  void complete() override { drivers::complete(schema_, options_); }

  Plan plan(const Communicator&) override {
    const Machine on = machine();
    const OptimizeProblem problem = make_problem(options_);
    const OptimizePlan plan = plan_optimize(options_, problem, plan_options_.ranks, trial_seconds_);
    std::vector<ScalingCurve> curves;
    const auto add = [&](const std::string& name, const std::vector<OptimizeScalingRow>& rows) {
      curves.push_back({name, {}});
      for (const OptimizeScalingRow& row : rows) curves.back().points.emplace_back(row.ranks, row.speedup);
    };
    for (const OptimizeTimes& times : plan.times) {
      const std::string trials = "trials of " + human_duration(times.trial_seconds);
      add(trials, times.rows);
      add(trials + ", as many a worker (weak scaling)", times.weak);
    }
    return {text_of(plan, options_), json_of(plan, options_), warnings_of(plan, options_, on),
            fmt::format("Trials of {}", plan.what), std::move(curves)};
  }

  bool json() const override { return options_.common.json; }
  int threads() const override { return options_.common.threads; }

 private:
  OptimizeOptions options_;
  std::optional<double> trial_seconds_;
};

}  // namespace

std::unique_ptr<Planner> optimize_planner() {
  return std::make_unique<OptimizePlanner>();
}

}  // namespace tempera::drivers
