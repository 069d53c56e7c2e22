#include "distributed/bayesopt/event.hpp"

#include <array>
#include <cmath>
#include <limits>

#include "core/base/error.hpp"

namespace tempera {

namespace {

using Json = nlohmann::ordered_json;

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr std::array<std::string_view, 7> kStatuses = {"ok",      "failed",    "timeout", "crashed",
                                                       "invalid", "cancelled", "lost"};

Json number(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}

double number_of(const Json& json) {
  return json.is_null() ? kNone : json.get<double>();
}

Json result_json(const TrialResult& result) {
  Json json = {{"status", name(result.status)}, {"minimised", number(result.value)}};
  if (!result.constraints.empty()) {
    json["constraints"] = Json::object();
    for (const auto& [key, value] : result.constraints) json["constraints"][key] = number(value);
  }
  if (std::isfinite(result.cost)) json["cost"] = result.cost;
  json["seconds"] = result.seconds;
  if (!result.reason.empty()) json["reason"] = result.reason;
  return json;
}

TrialResult result_of(const Json& json) {
  TrialResult result;
  result.status = trial_status(json.at("status").get<std::string>());
  result.value = number_of(json.at("minimised"));
  if (json.contains("constraints"))
    for (const auto& [key, value] : json.at("constraints").items()) result.constraints[key] = number_of(value);
  if (json.contains("cost")) result.cost = json.at("cost");
  result.seconds = json.at("seconds");
  if (json.contains("reason")) result.reason = json.at("reason");
  return result;
}

Json point_json(const Point& point) {
  Json json = Json::array();
  for (const double entry : point) json.push_back(number(entry));
  return json;
}

Point point_of(const Json& json) {
  Point point;
  for (const Json& entry : json) point.push_back(number_of(entry));
  return point;
}

struct ToJson {
  Json operator()(const BeginEvent& e) const {
    return {{"event", "begin"}, {"space", e.space}, {"configuration", e.configuration}};
  }
  Json operator()(const WarmStartEvent& e) const {
    Json trials = Json::array();
    for (const Trial& trial : e.source.trials) {
      trials.push_back({{"number", trial.number}, {"point", point_json(trial.point)}});
      trials.back().update(result_json(trial.result));
    }
    return {{"event", "warm-start"},         {"source", e.source.name}, {"task", e.source.same_task ? "same" : "other"},
            {"left_out", e.source.left_out}, {"notes", e.source.notes}, {"trials", std::move(trials)}};
  }
  Json operator()(const SessionEvent& e) const { return {{"event", "session"}, {"workers", e.workers}}; }
  Json operator()(const ProposeEvent& e) const {
    Json json = {{"event", "propose"}, {"number", e.number}, {"point", point_json(e.point)}, {"why", e.why}};
    json["known"] = e.known;
    if (!e.pending.empty()) json["pending"] = e.pending;
    json["proposing_seconds"] = e.proposing_seconds;
    return json;
  }
  Json operator()(const StartEvent& e) const {
    return {{"event", "start"}, {"number", e.number}, {"attempt", e.attempt}, {"worker", e.worker}};
  }
  Json operator()(const ResultEvent& e) const {
    Json json = {{"event", "result"}, {"number", e.number}, {"attempt", e.attempt}};
    json.update(result_json(e.result));
    return json;
  }
  Json operator()(const StopEvent& e) const { return {{"event", "stop"}, {"reason", e.reason}}; }
};

WarmStartEvent warm_start_of(const Json& json) {
  SourceTrials source{json.at("source"), json.at("task") == "same", {}, json.at("left_out"), json.at("notes")};
  for (const Json& trial : json.at("trials"))
    source.trials.push_back({trial.at("number"), point_of(trial.at("point")), result_of(trial)});
  return {std::move(source)};
}

ProposeEvent proposal_of(const Json& json) {
  ProposeEvent event;
  event.number = json.at("number");
  event.point = point_of(json.at("point"));
  event.why = json.at("why");
  event.known = json.at("known");
  if (json.contains("pending")) event.pending = json.at("pending").get<std::vector<Index>>();
  event.proposing_seconds = json.at("proposing_seconds");
  return event;
}

}  // namespace

std::string_view name(TrialStatus status) {
  return kStatuses.at(static_cast<std::size_t>(status));
}

TrialStatus trial_status(std::string_view name) {
  for (std::size_t k = 0; k < kStatuses.size(); ++k)
    if (kStatuses[k] == name) return static_cast<TrialStatus>(k);
  throw Error(Category::input, "", "'" + std::string(name) + "' is no status of a trial");
}

Json to_json(const Event& event) {
  return std::visit(ToJson{}, event);
}

Event event_from_json(const Json& json) {
  const std::string kind = json.at("event");
  if (kind == "begin") return BeginEvent{json.at("space"), json.at("configuration")};
  if (kind == "warm-start") return warm_start_of(json);
  if (kind == "session") return SessionEvent{json.at("workers").get<Index>()};
  if (kind == "propose") return proposal_of(json);
  if (kind == "start") return StartEvent{json.at("number"), json.at("attempt"), json.at("worker")};
  if (kind == "result") return ResultEvent{json.at("number"), json.at("attempt"), result_of(json)};
  if (kind == "stop") return StopEvent{json.at("reason")};
  throw Error(Category::input, "", "'" + kind + "' is no event of an optimisation");
}

}  // namespace tempera
