#include "distributed/bayesopt/detail/model_rank.hpp"

#include "core/base/contract.hpp"
#include "distributed/bayesopt/detail/messages.hpp"

namespace tempera::detail {

namespace {
constexpr double kIdle = 0.05;  // seconds between two looks for a signal
constexpr int kMaster = 0;
}  // namespace

void serve_proposals(Courier& courier, const Communicator& group, Proposer& proposer,
                     const OptimizationObserver& observer) {
  std::vector<Trial> finished;
  bool wished = false;
  for (;;) {
    const auto message = courier.wait_for(kIdle);
    if (!wished && observer.stop_requested && observer.stop_requested()) {
      courier.send(kMaster, to_text(StopWishMessage{}));
      wished = true;
    }
    if (!message) continue;
    Message content = message_from_text(message->text);
    auto* const request = std::get_if<ModelRequest>(&content);
    if (request == nullptr) break;
    TEMPERA_EXPECTS(request->known == std::ssize(finished));
    finished.insert(finished.end(), request->finished.begin(), request->finished.end());
    Proposal proposal = proposer.propose(request->number, finished, request->pending);
    if (group.is_root()) courier.send(kMaster, to_text(ModelAnswer{std::move(proposal)}));
  }
  courier.send(kMaster, to_text(LeaveMessage{}));
}

}  // namespace tempera::detail
