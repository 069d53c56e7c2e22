#include "drivers/commands/plan/sample_plan_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/base/text.hpp"
#include "core/sampling/schedule.hpp"
#include "drivers/commands/plan/placement.hpp"
#include "drivers/commands/plan/scaling.hpp"

namespace tempera::drivers {

namespace {

using Json = nlohmann::ordered_json;

constexpr double kMostCommunication = 0.5;  // of a scan

Index replicas_of(const SamplePlan& plan) {
  return plan.tempering.options.ladders * plan.tempering.chains(plan.tempering.options.rounds);
}

int most_useful_ranks(const SamplePlan& plan, const SampleOptions& options) {
  return static_cast<int>(replicas_of(plan)) * options.ranks_per_replica;
}

int best_ranks(const SamplePlan& plan, const SampleOptions& options) {
  return tight_ranks(plan.layout, options.ranks_per_replica, replicas_of(plan));
}

std::string seconds_text(double seconds) {
  if (seconds < 1e-3) return fmt::format("{:.3g} µs", 1e6 * seconds);
  if (seconds < 1) return fmt::format("{:.3g} ms", 1e3 * seconds);
  return human_duration(seconds);
}

std::string ladder_text(const SamplePlan& plan, const SampleOptions& options) {
  const Index chains = plan.tempering.chains(plan.tempering.options.rounds);
  const std::string copies =
      options.copies > 1 ? fmt::format(" in each of {} copies: {} in all", options.copies, replicas_of(plan)) : "";
  if (options.replicas) return plural(chains, "replica") + copies;
  if (plan.barrier)
    return fmt::format("{}{}, as auto comes to for a barrier of {:.3g}: ⌈2 × barrier⌉ + 1 a leg ({})",
                       plural(chains, "replica"), copies, *plan.barrier, plan.barrier_source);
  return fmt::format(
      "{} at first{}; auto goes over to ⌈2 × barrier⌉ + 1 a leg after the rounds 3 to 7. Give --barrier X or --like "
      "RUN "
      "(a run of this target) to plan for that{}",
      plural(chains, "replica"), copies,
      std::isfinite(plan.steps.barrier)
          ? fmt::format("; the trial of half a second found about {:.2g}", plan.steps.barrier)
          : "");
}

std::string layout_text(const SamplePlan& plan, const SampleOptions& options) {
  const SampleLayout& layout = plan.layout;
  std::string text = plural(layout.groups, options.ranks_per_replica > 1 ? "group" : "MPI rank");
  if (options.ranks_per_replica > 1)
    text += layout.smallest_group == layout.largest_group
                ? fmt::format(" of {} ranks", layout.smallest_group)
                : fmt::format(" of {} or {} ranks", layout.smallest_group, layout.largest_group);
  if (layout.idle_groups > 0) return text + fmt::format(", {} of them with one replica each", replicas_of(plan));
  if (layout.most_replicas == layout.least_replicas)
    return text + fmt::format(" with {}", plural(layout.most_replicas, "replica")) + (layout.groups > 1 ? " each" : "");
  return text + fmt::format(" with {} or {} replicas each: those with fewer wait for the others", layout.least_replicas,
                            layout.most_replicas);
}

std::string advice_text(const SamplePlan& plan, const SampleOptions& options) {
  const int best = best_ranks(plan, options), most = most_useful_ranks(plan, options);
  if (plan.layout.ranks > most)
    return fmt::format("{} MPI ranks: beyond replicas × copies{} there is nothing to do; or more --copies", most,
                       options.ranks_per_replica > 1 ? " × ranks per replica" : "");
  std::string text = best < plan.layout.ranks
                         ? fmt::format("{} MPI ranks take as long: no rank holds more replicas than now", best)
                         : std::string("all ranks are of use");
  if (plan.layout.ranks < most) text += fmt::format("; up to {} make a scan shorter", most);
  return text;
}

std::string scaling_text(const std::string& title, const std::vector<ScalingRow>& scaling) {
  std::vector<std::vector<std::string>> rows{
      {"MPI ranks", "a scan", "exploring", "swaps", "speed-up", "efficiency", ""}};
  for (const ScalingRow& row : scaling)
    rows.push_back({std::to_string(row.ranks), seconds_text(row.time.total()), seconds_text(row.time.exploring),
                    seconds_text(row.time.swaps + row.time.round_end), fmt::format("{:.2f}", row.speedup),
                    fmt::format("{:.0f} %", 100 * row.efficiency), efficiency_bar(row.efficiency)});
  return fmt::format("\n  {}\n{}", title, text_table(rows, TableColumns::right));
}

Json scaling_json(const std::vector<ScalingRow>& scaling) {
  Json rows = Json::array();
  for (const ScalingRow& row : scaling)
    rows.push_back({{"mpi_ranks", row.ranks},
                    {"scan_seconds", row.time.total()},
                    {"exploring_seconds", row.time.exploring},
                    {"density_communication_seconds", row.time.density},
                    {"swap_seconds", row.time.swaps},
                    {"round_end_seconds", row.time.round_end},
                    {"speedup", row.speedup},
                    {"efficiency", row.efficiency}});
  return rows;
}

Json traffic_json(const Traffic& traffic) {
  return {{"messages", traffic.messages}, {"bytes", traffic.bytes}};
}

Json region(const std::string& name, const Traffic& sent, const char* certainty) {
  Json json = {{"region", name}};
  json.update(traffic_json(sent));
  json["certainty"] = certainty;
  return json;
}

Json regions_json(const SamplePlan& plan) {
  TemperingTraffic all;
  if (plan.tempering.ranks > 1)
    for (int rank = 0; rank < plan.tempering.ranks; ++rank) all += tempering_traffic(plan.tempering, rank);
  const bool follows = plan.tempering.options.chains == 0;
  const char* const known = follows ? "estimate" : "exact";
  const auto letters = static_cast<Index>(std::llround(all.swap_letters));
  Json json = Json::array();
  json.push_back(region("tempering/start", all.start, known));
  json.push_back(region("tempering/round end", all.round_end, known));
  json.push_back(region("tempering/estimate", all.estimate, known));
  json.push_back(region("tempering/adapt", all.adapt, known));
  json.push_back(region("results", plan.results_all, known));
  json.push_back(region("tempering/swap", {letters, 24 * letters}, letters == 0 && !follows ? "exact" : "mean"));
  json.back()["messages_most"] = all.swap_letters_most;
  json.push_back(region("tempering/estimate/statistics + tempering/adapt/statistics", all.statistics_most, "most"));
  return json;
}

}  // namespace

std::string sample_plan_text(const SamplePlan& plan, const SampleOptions& options, const std::string& machine) {
  std::string text = fmt::format("Plan of sampling {} with {} on {}\n", plan.what, plan.explorer,
                                 plural(plan.layout.ranks, "MPI rank"));
  const auto line = [&](const char* title, const std::string& content) {
    bool first = true;
    for (const std::string& part : wrap_words(content, 82)) {
      text += fmt::format("  {:12}{}\n", first ? title : "", part);
      first = false;
    }
  };
  const TemperingPlan& t = plan.tempering;
  const ScanTime& time = plan.scaling.back().time;
  const double scans = std::pow(2.0, t.options.rounds);
  line("machine", machine);
  line("replicas", ladder_text(plan, options));
  line("layout", layout_text(plan, options));
  if (plan.layout.idle_ranks() > 0) line("idle", plural(plan.layout.idle_ranks(), "MPI rank"));
  line("advice", advice_text(plan, options));
  if (plan.round_trips > 0)
    line(
        "round trips",
        fmt::format("{:.0f} in the last round if every exploration were perfect: pairs reject {:.0f} % of their swaps; "
                    "endlessly many replicas would make {:.0f}",
                    plan.round_trips, 100 * plan.rejection, plan.round_trips_limit));
  if (plan.steps.of_steps)
    line("density", fmt::format("an evaluation takes {} and a step of a replica {:.1f} of them: the engine's own first "
                                "rounds on one rank of this machine, scaled by nothing",
                                seconds_text(plan.steps.seconds_per_evaluation), plan.steps.evaluations_per_step));
  else
    line("density",
         fmt::format("an evaluation takes {} on this machine, scaled by nothing. The ladder is too large to be "
                     "tried here: times are for one evaluation a step, and have to be multiplied",
                     seconds_text(plan.steps.seconds_per_evaluation)));
  line("time", fmt::format("{} a scan, {} for the {} of {} rounds", seconds_text(time.total()),
                           human_duration(time.total() * (2 * scans - 2)),
                           plural(static_cast<Index>(2 * scans) - 2, "scan"), t.options.rounds));
  if (t.ranks > 1) {
    line("sent", fmt::format("{} a scan in swaps ({:.0f} letters of 24 bytes, in the mean over where replicas stand), "
                             "however large a state is",
                             human_bytes(24 * plan.swap_letters_a_scan), plan.swap_letters_a_scan));
    const auto rounds = plural(t.options.rounds, "round");
    line("",
         fmt::format("{} in {} at the ends of {}, at most {} of chain statistics, {} for the results",
                     human_bytes(static_cast<double>(plan.exact_all.bytes)), plural(plan.exact_all.messages, "message"),
                     rounds, human_bytes(static_cast<double>(plan.statistics_all.bytes)),
                     human_bytes(static_cast<double>(plan.results_all.bytes))));
  }
  if (plan.group && plan.group->leader_gradient.messages > 0)
    line("", fmt::format(
                 "{} for an evaluation with gradient in a group, {} without",
                 human_bytes(static_cast<double>((plan.group->leader_gradient + plan.group->others_gradient).bytes)),
                 human_bytes(static_cast<double>((plan.group->leader_value + plan.group->others_value).bytes))));
  else if (plan.group)
    line("", "nothing within a group: the data are so few that its leader holds them all");
  line("memory",
       fmt::format(
           "{} on the fullest MPI rank, beside what a process has when it begins: {} of replicas, their statistics "
           "and traces, {} for a while at the end of a round, {} of data and density, {} for summaries and the "
           "file of draws; the rest is the program's",
           human_bytes(plan.memory_bytes), human_bytes(plan.memory.kept()),
           human_bytes(plan.memory.most() - plan.memory.kept()), human_bytes(plan.target_bytes),
           human_bytes(std::max(plan.draws.summaries, plan.draws.file))));
  line("disk", fmt::format("{} of draws in the last round, as much again beside the checkpoints",
                           human_bytes(plan.draws_file_bytes)));
  return text + scaling_text("Strong scaling: this run", plan.scaling) +
         scaling_text("Weak scaling: a rank more for as many copies more", plan.weak);
}

Json sample_plan_json(const SamplePlan& plan, const SampleOptions& options) {
  const TemperingPlan& t = plan.tempering;
  const SampleLayout& layout = plan.layout;
  Json json;
  json["schema"] = 1;
  json["command"] = "plan sample";
  json["target"] = plan.what;
  json["explorer"] = plan.explorer;
  json["mpi_ranks"] = layout.ranks;
  json["replicas"] = t.chains(t.options.rounds);
  json["replicas_known"] = options.replicas.has_value() || plan.barrier.has_value();
  json["copies"] = t.options.ladders;
  json["rounds"] = t.options.rounds;
  json["barrier"] = plan.barrier ? Json(*plan.barrier) : Json(nullptr);
  json["barrier_of_trial"] = std::isfinite(plan.steps.barrier) ? Json(plan.steps.barrier) : Json(nullptr);
  json["layout"] = {{"groups", layout.groups},
                    {"ranks_of_a_group", layout.smallest_group},
                    {"ranks_of_a_group_most", layout.largest_group},
                    {"replicas_of_a_group_most", layout.most_replicas},
                    {"replicas_of_a_group_least", layout.least_replicas},
                    {"idle_ranks", layout.idle_ranks()},
                    {"ranks_of_use", most_useful_ranks(plan, options)},
                    {"ranks_as_fast", std::min(layout.ranks, best_ranks(plan, options))}};
  if (plan.round_trips > 0)
    json["round_trips"] = {
        {"rejection", plan.rejection}, {"last_round", plan.round_trips}, {"last_round_limit", plan.round_trips_limit}};
  json["density_seconds"] = plan.steps.seconds_per_evaluation;
  json["density_evaluations_per_step"] = plan.steps.of_steps ? Json(plan.steps.evaluations_per_step) : Json(nullptr);
  json["swap_letters_per_scan"] = plan.swap_letters_a_scan;
  json["regions"] = regions_json(plan);
  if (plan.group)
    json["density_traffic"] = {{"leader_value", traffic_json(plan.group->leader_value)},
                               {"leader_gradient", traffic_json(plan.group->leader_gradient)},
                               {"others_value", traffic_json(plan.group->others_value)},
                               {"others_gradient", traffic_json(plan.group->others_gradient)}};
  json["memory_growth_bytes_max"] = std::llround(plan.memory_bytes);
  json["memory_bytes"] = {{"states", plan.memory.states},         {"statistics", plan.memory.statistics},
                          {"traces", plan.memory.traces},         {"tunings", plan.memory.tunings},
                          {"estimating", plan.memory.estimating}, {"learning", plan.memory.learning},
                          {"saving", plan.memory.saving},         {"target", plan.target_bytes},
                          {"draws_waiting", plan.draws.waiting},  {"summaries", plan.draws.summaries},
                          {"draws_file", plan.draws.file}};
  json["draws_file_bytes"] = plan.draws_file_bytes;
  json["scaling"] = scaling_json(plan.scaling);
  json["weak_scaling"] = scaling_json(plan.weak);
  return json;
}

std::vector<std::string> sample_plan_warnings(const SamplePlan& plan, const SampleOptions& options,
                                              const Machine& machine) {
  std::vector<std::string> warnings;
  const SampleLayout& layout = plan.layout;
  if (layout.idle_ranks() > 0)
    warnings.push_back(
        fmt::format("{} of {} MPI ranks have no replica: {} × {} copies{} make use of {}", layout.idle_ranks(),
                    layout.ranks, plan.tempering.chains(plan.tempering.options.rounds), options.copies,
                    options.ranks_per_replica > 1 ? " × ranks per replica" : "", most_useful_ranks(plan, options)));
  const ScanTime& time = plan.scaling.back().time;
  if (layout.ranks > 1 && time.communication() > kMostCommunication * time.total())
    warnings.push_back(
        fmt::format("communication dominates: {:.0f} % of a scan; steps of {} are short for it. Fewer ranks, or a "
                    "longer way between "
                    "swaps (--explorer slice:passes=5)",
                    100 * time.communication() / time.total(), seconds_text(plan.steps.seconds_per_step())));
  const double on_node =
      std::min(layout.ranks, placement_of(machine, layout.ranks, options.common.threads).ranks_per_node);
  if (plan.memory_bytes * on_node > machine.memory_per_node)
    warnings.push_back(
        fmt::format("memory does not fit: {:.0f} MPI ranks on a node need {} of {}; more "
                    "--ranks-per-replica, fewer ranks on a node, or fewer --rounds",
                    on_node, human_bytes(plan.memory_bytes * on_node), human_bytes(machine.memory_per_node)));
  return warnings;
}

}  // namespace tempera::drivers
