#include "distributed/bayesopt/detail/messages.hpp"

#include "distributed/bayesopt/event.hpp"

namespace tempera::detail {

namespace {

using Json = nlohmann::ordered_json;

// Requests and answers travel as the events that they are about.
struct ToJson {
  Json operator()(const TrialRequest& request) const {
    return {{"request", to_json(ProposeEvent{request.number, request.point, nullptr, 0, {}, 0})},
            {"attempt", request.attempt},
            {"seed", request.seed}};
  }
  Json operator()(const TrialAnswer& answer) const {
    return {{"answer", to_json(ResultEvent{answer.number, answer.attempt, answer.result})}};
  }
  Json operator()(const LeaveMessage&) const { return {{"leave", true}}; }
  Json operator()(const StopWishMessage&) const { return {{"stop", true}}; }
};

}  // namespace

std::string to_text(const Message& message) {
  return std::visit(ToJson{}, message).dump(-1, ' ', false, Json::error_handler_t::replace);
}

Message message_from_text(const std::string& text) {
  const Json json = Json::parse(text);
  if (json.contains("leave")) return LeaveMessage{};
  if (json.contains("stop")) return StopWishMessage{};
  if (json.contains("answer")) {
    auto event = std::get<ResultEvent>(event_from_json(json.at("answer")));
    return TrialAnswer{event.number, event.attempt, std::move(event.result)};
  }
  auto event = std::get<ProposeEvent>(event_from_json(json.at("request")));
  return TrialRequest{event.number, json.at("attempt"), json.at("seed"), std::move(event.point)};
}

}  // namespace tempera::detail
