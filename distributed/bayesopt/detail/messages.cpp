#include "distributed/bayesopt/detail/messages.hpp"

#include "distributed/bayesopt/event.hpp"

namespace tempera::detail {

namespace {

using Json = nlohmann::ordered_json;

// Requests and answers travel as the events that they are about.
Json point_json(Index number, const Point& point, Index known = 0) {
  return to_json(ProposeEvent{number, point, nullptr, known, {}, 0});
}

PendingTrial point_of(const Json& json) {
  auto event = std::get<ProposeEvent>(event_from_json(json));
  return {event.number, std::move(event.point)};
}

struct ToJson {
  Json operator()(const TrialRequest& request) const {
    return {
        {"request", point_json(request.number, request.point)}, {"attempt", request.attempt}, {"seed", request.seed}};
  }
  Json operator()(const TrialAnswer& answer) const {
    return {{"answer", to_json(ResultEvent{answer.number, answer.attempt, answer.result})}};
  }
  Json operator()(const ModelRequest& request) const {
    Json finished = Json::array(), pending = Json::array();
    for (const auto& [number, point, result, known] : request.finished)
      finished.push_back(
          {{"trial", point_json(number, point, known)}, {"answer", to_json(ResultEvent{number, 0, result})}});
    for (const auto& [number, point] : request.pending) pending.push_back(point_json(number, point));
    return {{"propose", request.number},
            {"known", request.known},
            {"finished", std::move(finished)},
            {"pending", std::move(pending)}};
  }
  Json operator()(const ModelAnswer& answer) const {
    return {{"proposal", to_json(ProposeEvent{0, answer.proposal.point, answer.proposal.why, 0, {}, 0})}};
  }
  Json operator()(const LeaveMessage&) const { return {{"leave", true}}; }
  Json operator()(const StopWishMessage&) const { return {{"stop", true}}; }
};

}  // namespace

std::string to_text(const Message& message) {
  return std::visit(ToJson{}, message).dump(-1, ' ', false, Json::error_handler_t::replace);
}

namespace {

ModelRequest model_request(const Json& json) {
  ModelRequest request{json.at("propose"), json.at("known"), {}, {}};
  for (const Json& trial : json.at("finished")) {
    auto proposed = std::get<ProposeEvent>(event_from_json(trial.at("trial")));
    auto event = std::get<ResultEvent>(event_from_json(trial.at("answer")));
    request.finished.push_back({proposed.number, std::move(proposed.point), std::move(event.result), proposed.known});
  }
  for (const Json& trial : json.at("pending")) request.pending.push_back(point_of(trial));
  return request;
}

}  // namespace

Message message_from_text(const std::string& text) {
  const Json json = Json::parse(text);
  if (json.contains("leave")) return LeaveMessage{};
  if (json.contains("stop")) return StopWishMessage{};
  if (json.contains("propose")) return model_request(json);
  if (json.contains("proposal")) {
    auto event = std::get<ProposeEvent>(event_from_json(json.at("proposal")));
    return ModelAnswer{{std::move(event.point), std::move(event.why)}};
  }
  if (json.contains("answer")) {
    auto event = std::get<ResultEvent>(event_from_json(json.at("answer")));
    return TrialAnswer{event.number, event.attempt, std::move(event.result)};
  }
  auto [number, point] = point_of(json.at("request"));
  return TrialRequest{number, json.at("attempt"), json.at("seed"), std::move(point)};
}

}  // namespace tempera::detail
