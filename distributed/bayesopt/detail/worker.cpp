#include "distributed/bayesopt/detail/worker.hpp"

#include "distributed/bayesopt/detail/messages.hpp"

namespace tempera::detail {

namespace {
constexpr double kIdle = 0.05;   // seconds between two looks for a signal
constexpr double kBusy = 0.001;  // between two looks at trials that run elsewhere
constexpr int kMaster = 0;
}  // namespace

void serve_trials(Courier& courier, Evaluator& evaluator, const OptimizationObserver& observer) {
  Index running = 0;
  bool wished = false;
  double pause = 0;
  for (;;) {
    if (const auto message = courier.wait_for(pause)) {
      const Message content = message_from_text(message->text);
      const auto* request = std::get_if<TrialRequest>(&content);
      if (request == nullptr) break;
      evaluator.begin(*request);
      ++running;
      pause = 0;
      continue;  // there may be more of them
    }
    pause = running > 0 ? kBusy : kIdle;
    if (auto answer = evaluator.poll()) {
      courier.send(kMaster, to_text(std::move(*answer)));
      --running;
      pause = 0;
    }
    if (!wished && observer.stop_requested && observer.stop_requested()) {
      courier.send(kMaster, to_text(StopWishMessage{}));
      wished = true;
    }
  }
  evaluator.cancel();
  courier.send(kMaster, to_text(LeaveMessage{}));
}

}  // namespace tempera::detail
