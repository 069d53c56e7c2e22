#include "distributed/bayesopt/detail/messages.hpp"

#include <boost/serialization/map.hpp>
#include <boost/serialization/vector.hpp>

#include "distributed/communicator/blob.hpp"

namespace tempera {

template <class Archive>
void serialize(Archive& archive, TrialResult& result, unsigned) {
  archive& result.status& result.value& result.constraints& result.cost& result.seconds& result.reason;
}
template <class Archive>
void serialize(Archive& archive, Trial& trial, unsigned) {
  archive& trial.number& trial.point& trial.result& trial.known;
}
template <class Archive>
void serialize(Archive& archive, PendingTrial& trial, unsigned) {
  archive& trial.number& trial.point;
}
template <class Archive>
void serialize(Archive& archive, TrialRequest& request, unsigned) {
  archive& request.number& request.attempt& request.seed& request.point;
}
template <class Archive>
void serialize(Archive& archive, TrialAnswer& answer, unsigned) {
  archive& answer.number& answer.attempt& answer.result;
}

namespace detail {

template <class Archive>
void serialize(Archive& archive, ModelRequest& request, unsigned) {
  archive& request.number& request.known& request.finished& request.pending;
}
template <class Archive>
void serialize(Archive& archive, ModelAnswer& answer, unsigned) {
  using Json = nlohmann::ordered_json;
  std::vector<std::uint8_t> why;
  if constexpr (Archive::is_saving::value) why = Json::to_bson({{"why", answer.proposal.why}});
  archive& answer.proposal.point& why;
  if constexpr (Archive::is_loading::value) answer.proposal.why = Json::from_bson(why).at("why");
}
template <class Archive>
void serialize(Archive&, LeaveMessage&, unsigned) {}
template <class Archive>
void serialize(Archive&, StopWishMessage&, unsigned) {}

std::string to_text(const Message& message) {
  return to_tagged_blob(message);
}

Message message_from_text(const std::string& text) {
  return from_tagged_blob<Message>(text);
}

}  // namespace detail
}  // namespace tempera
