#include "drivers/commands/sample/sample_report.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/base/text.hpp"
#include "core/sampling/schedule.hpp"

namespace tempera::drivers {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kShownParameters = 20;
constexpr std::string_view kRun = "tempera resume RUN";

Json number(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}

Index total(const SampleFacts& facts, Index TemperingRound::*value) {
  Index sum = 0;
  for (const TemperingRound& round : facts.rounds) sum += round.*value;
  return sum;
}

Json evidence_json(const SampleFacts& facts) {
  const Evidence& e = facts.last().evidence;
  Json json;
  const auto add = [&](const char* name, double value, double error) {
    json[name] = {{"log_evidence", number(value)}, {"standard_error", number(error)}};
  };
  add("mbar", e.estimate, e.standard_error);
  add("stepping_stone", e.stepping_stone, e.stepping_stone_error);
  add("stepping_stone_forward", e.forward, e.forward_error);
  add("stepping_stone_reverse", e.reverse, e.reverse_error);
  add("thermodynamic", e.thermodynamic, e.thermodynamic_error);
  if (facts.last().legs.size() == 2) {
    add("first_leg", facts.last().legs[0].estimate, facts.last().legs[0].standard_error);
    add("second_leg", facts.last().legs[1].estimate, facts.last().legs[1].standard_error);
  }
  json["disagree"] = e.disagree;
  return json;
}

Json parameters_json(const SampleFacts& facts) {
  Json json = Json::object();
  for (std::size_t k = 0; k < facts.names.size(); ++k) {
    const ParameterSummary& s = facts.summaries[k];
    json[facts.names[k]] = {{"mean", number(s.mean)},
                            {"sd", number(s.sd)},
                            {"q05", number(s.q05)},
                            {"q50", number(s.q50)},
                            {"q95", number(s.q95)},
                            {"rhat", number(s.rhat)},
                            {"ess_bulk", number(s.ess_bulk)},
                            {"ess_tail", number(s.ess_tail)},
                            {"mcse_mean", number(s.mcse_mean)},
                            {"mcse_sd", number(s.mcse_sd)}};
    if (!facts.nested.empty()) json[facts.names[k]]["rhat_nested"] = number(facts.nested[k]);
  }
  return json;
}

Json weighted_json(const SampleFacts& facts) {
  Json json = Json::object();
  for (std::size_t k = 0; k < facts.names.size(); ++k) {
    const WeightedSummary& s = facts.weighted[k];
    json[facts.names[k]] = {{"mean", number(s.mean)}, {"sd", number(s.sd)},   {"q05", number(s.q05)},
                            {"q50", number(s.q50)},   {"q95", number(s.q95)}, {"mcse_mean", number(s.mcse_mean)},
                            {"ess", number(s.ess)}};
  }
  return json;
}

Json explorer_json(const SampleFacts& facts) {
  const TemperingRound& last = facts.last();
  Json json = Json::array();
  for (std::size_t c = 0; c < last.schedule.size(); ++c)
    json.push_back({{"beta", last.schedule[c]},
                    {"acceptance", number(last.reports[c].mean_acceptance())},
                    {"step_sizes", last.step_sizes[c]},
                    {"divergences", last.reports[c].divergences}});
  return json;
}

const char* loss_name(const SampleOptions& options) {
  return options.likelihood == "poisson" ? "deviance" : "squared error";
}

/// The mean over the draws of the model value is held against the cells, as the value of a fit is.
Json holdout_json(const SampleOptions& options, const PredictionScore& score) {
  Json json = {{"share", options.holdout},
               {"loss", loss_name(options)},
               {"mean", number(score.loss.mean)},
               {"standard_error", number(score.loss.standard_error)},
               {"log_score", number(score.log_score.mean)},
               {"log_score_standard_error", number(score.log_score.standard_error)},
               {"strata", Json::array()}};
  json[options.likelihood == "poisson" ? "deviance" : "squared_error"] = json["mean"];  // under its own name too
  for (std::size_t k = 0; k < score.loss.strata.size(); ++k) {
    const StratumScore& part = score.loss.strata[k];
    json["strata"].push_back({{"name", part.name},
                              {"held", part.held},
                              {"cells", part.cells},
                              {"mean", number(part.mean)},
                              {"standard_error", number(part.standard_error)},
                              {"log_score", number(score.log_score.strata[k].mean)}});
  }
  return json;
}

Json model_json(const SampleOptions& options, const CpModelOptions& model) {
  Json json = {{"rank", model.rank}, {"likelihood", options.likelihood}, {"missing", options.missing}};
  const auto add = [&](const char* name, const std::optional<double>& value) {
    if (value) json[name] = *value;
  };
  if (model.likelihood == CpLikelihood::poisson) {
    json["prior_shape"] = model.prior_shape;
    add("prior_rate", model.prior_rate);
  } else {
    add("prior_scale", model.prior_scale);
    add("noise_sd", model.noise_sd);
    if (!model.noise_sd) add("noise_scale", model.noise_scale);
  }
  return json;
}

const char* reference_name(TemperingReference reference) {
  switch (reference) {
    case TemperingReference::prior: return "prior";
    case TemperingReference::gaussian: return "gaussian";
    case TemperingReference::two_legs: return "two-leg";
  }
  return "";
}

std::string with_error(double value, double error) {
  if (!(error > 0) || !std::isfinite(error)) return fmt::format("{:.6g}", value);
  const int digits = std::clamp(1 - static_cast<int>(std::floor(std::log10(error))), 0, 12);
  return fmt::format("{:.{}f} ± {:.{}f}", value, digits, error, digits);
}

std::string table_text(const SampleOptions& options, const SampleFacts& facts) {
  std::vector<std::vector<std::string>> table{
      {"parameter", "mean", "sd", "5 %", "50 %", "95 %", "R-hat", "ESS bulk", "ESS tail", "MCSE"}};
  const std::size_t count = facts.names.size();
  const std::size_t shown = options.common.verbose ? count : std::min(count, kShownParameters);
  for (std::size_t k = 0; k < shown; ++k) {
    const ParameterSummary& s = facts.summaries[k];
    const auto text = [](double value, const char* format) {
      return std::isnan(value) ? std::string("-") : fmt::format(fmt::runtime(format), value);
    };
    table.push_back({facts.names[k], text(s.mean, "{:.4g}"), text(s.sd, "{:.3g}"), text(s.q05, "{:.4g}"),
                     text(s.q50, "{:.4g}"), text(s.q95, "{:.4g}"), text(s.rhat, "{:.3f}"), text(s.ess_bulk, "{:.0f}"),
                     text(s.ess_tail, "{:.0f}"), text(s.mcse_mean, "{:.2g}")});
  }
  std::string text = text_table(table, TableColumns::right);
  if (shown < count) text += fmt::format("  … and {} more (--verbose shows all)\n", count - shown);
  return text;
}

std::string evidence_text(const SampleFacts& facts) {
  const Evidence& e = facts.last().evidence;
  if (!facts.absolute)
    return facts.improper ? fmt::format("log evidence  none: the prior of {} is improper\n", *facts.improper)
                          : "log evidence  none: the prior is not normalised\n";
  std::string text = fmt::format("log evidence  {}", with_error(e.estimate, e.standard_error));
  if (facts.exact_log_evidence) text += fmt::format("  (exact: {:.6g})", *facts.exact_log_evidence);
  return text + "\n";
}

/// "tempera resume RUN --rounds 12" with the folder to be typed
std::string with_folder(std::string advice, const std::string& run_folder) {
  const auto at = advice.find(kRun);
  return at == std::string::npos ? advice : advice.replace(at + kRun.size() - 3, 3, run_folder);
}

std::string ladder_text(const SampleFacts& facts) {
  const TemperingRound& last = facts.last();
  std::string text = fmt::format(
      "ladder        {} replicas{}, barrier {:.2f}, {} round trip{} of {:.0f} possible, swaps accepted {:.0f} %\n",
      last.schedule.size(),
      facts.tempering.ladders > 1 ? fmt::format(" in each of {} copies", facts.tempering.ladders) : "", last.barrier,
      human_count(last.round_trips), last.round_trips == 1 ? "" : "s", last.ideal_round_trips,
      100 * (1 - last.rejection_sum / static_cast<double>(last.rejections.size())));
  return text;
}

}  // namespace

Json sample_summary(const SampleOptions& options, const SampleFacts& facts) {
  const TemperingRound& last = facts.last();
  const bool ladder = last.schedule.size() > 1;
  Json summary;
  summary["schema"] = 1;
  summary["command"] = "sample";
  summary["target"] = facts.what;
  summary["log_evidence"] = ladder && facts.absolute ? number(last.evidence.estimate) : Json(nullptr);
  summary["log_evidence_error"] = ladder && facts.absolute ? number(last.evidence.standard_error) : Json(nullptr);
  if (facts.exact_log_evidence) summary["exact_log_evidence"] = *facts.exact_log_evidence;
  if (ladder) summary["evidence"] = evidence_json(facts);
  summary["reference"] = reference_name(facts.tempering.reference);
  summary["explorer"] = facts.explorer;
  summary["replicas"] = last.schedule.size();
  summary["copies"] = facts.tempering.ladders;
  summary["rounds"] = last.round;
  summary["scans"] = last.scans;
  summary["barrier"] = ladder ? number(last.barrier) : Json(nullptr);
  summary["barrier_error"] = ladder ? number(last.barrier_error) : Json(nullptr);
  summary["rejection_sum"] = ladder ? number(last.rejection_sum) : Json(nullptr);
  summary["replicas_suggested"] = ladder ? Json(suggested_chains(last.barrier)) : Json(nullptr);
  summary["round_trips"] = last.round_trips;
  summary["round_trips_ideal"] = number(last.ideal_round_trips);
  summary["restarts"] = last.restarts;
  summary["schedule"] = last.schedule;
  summary["rejections"] = last.rejections;
  summary["chains"] = explorer_json(facts);
  summary["density_evaluations"] = total(facts, &TemperingRound::evaluations);
  summary["gradient_evaluations"] = total(facts, &TemperingRound::gradients);
  summary["invalid_evaluations"] = total(facts, &TemperingRound::invalid);
  summary["density_evaluations_last_round"] = last.evaluations;
  summary["streams"] = facts.streams;
  summary["draws"] = facts.draws;
  if (facts.energy)
    summary["hamiltonian"] = {{"e_bfmi", number(facts.energy->bfmi)},
                              {"divergences", facts.energy->divergences},
                              {"saturated_share", facts.energy->saturated}};
  if (facts.model) summary["model"] = model_json(options, *facts.model);
  if (facts.holdout) summary["holdout"] = holdout_json(options, *facts.holdout);
  summary["seconds"] = facts.seconds;
  summary["mpi_ranks"] = facts.mpi_ranks;
  summary["memory_growth_bytes_max"] = facts.memory_bytes_max;
  const Verdict verdict = judge(facts);
  summary["verdict"] = {{"good", verdict.good}, {"reasons", verdict.reasons}, {"advice", verdict.advice}};
  summary["parameters"] = parameters_json(facts);
  if (!facts.weighted.empty()) summary["parameters_weighted"] = weighted_json(facts);
  summary["regions"] = region_table_json(facts.regions);
  return summary;
}

std::string sample_text(const SampleOptions& options, const SampleFacts& facts, const std::string& run_folder) {
  const TemperingRound& last = facts.last();
  std::string text =
      fmt::format("{}: {} draws of {} parameter{} in {}\n\n", facts.what, human_count(facts.streams * facts.draws),
                  facts.names.size(), facts.names.size() == 1 ? "" : "s", human_duration(facts.seconds));
  text += table_text(options, facts) + "\n";
  if (last.schedule.size() > 1) text += evidence_text(facts) + ladder_text(facts);
  text += fmt::format("density       {} evaluations\n", human_count(total(facts, &TemperingRound::evaluations)));
  if (facts.holdout)
    text += fmt::format("holdout       {} of a cell {:.5g} ± {:.2g}, log score {:.5g} ± {:.2g}\n", loss_name(options),
                        facts.holdout->loss.mean, facts.holdout->loss.standard_error, facts.holdout->log_score.mean,
                        facts.holdout->log_score.standard_error);
  const Verdict verdict = judge(facts);
  if (verdict.good) text += "verdict       good: the draws can be used\n";
  for (std::size_t k = 0; k < verdict.reasons.size(); ++k)
    text += fmt::format("{}{}\n                try: {}\n",
                        k == 0 ? "verdict       look closer:\n              - " : "              - ",
                        verdict.reasons[k], with_folder(verdict.advice[k], run_folder));
  text += fmt::format("results       {}\n", run_folder);
  if (options.common.profile) text += "\n" + region_table_text(facts.regions);
  return text;
}

}  // namespace tempera::drivers
