#include "distributed/bayesopt/detail/worker.hpp"

#include <optional>

#include "distributed/bayesopt/detail/messages.hpp"

namespace tempera::detail {

namespace {

constexpr double kIdle = 0.05;   // seconds between two looks for a signal
constexpr double kBusy = 0.001;  // between two looks at trials that run elsewhere
constexpr int kMaster = 0;

class Worker {
 public:
  Worker(Courier& courier, int rank, const RankLayout& layout, Evaluator& evaluator,
         const OptimizationObserver& observer)
      : courier_(courier),
        evaluator_(evaluator),
        observer_(observer),
        others_(layout.inferiors(rank)),
        reports_(layout.superior(rank) == kMaster) {}

  void serve() {
    double pause = 0;
    for (;;) {
      if (const auto message = courier_.wait_for(pause)) {
        const Message content = message_from_text(message->text);
        const auto* request = std::get_if<TrialRequest>(&content);
        if (request == nullptr) break;
        take(*request);
        pause = 0;
        continue;  // there may be more of them
      }
      pause = running_ > 0 ? kBusy : kIdle;
      if (answer_one()) pause = 0;
      if (!wished_ && observer_.stop_requested && observer_.stop_requested()) {
        courier_.send(kMaster, to_text(StopWishMessage{}));
        wished_ = true;
      }
    }
    for (const int other : others_) courier_.send(other, to_text(LeaveMessage{}));
    evaluator_.cancel();
    courier_.send(kMaster, to_text(LeaveMessage{}));
  }

 private:
  void take(const TrialRequest& request) {
    ++running_;
    if (!evaluator_.is_collective()) {
      evaluator_.begin(request);
    } else if (reports_) {
      together_ = request;  // begins when nothing calls this rank away any more: then it does so on all
    } else {
      evaluator_.begin(request);
      evaluator_.poll();
      --running_;
    }
  }

  bool answer_one() {
    if (together_) {
      for (const int other : others_) courier_.send(other, to_text(*together_));
      evaluator_.begin(*together_);
      together_.reset();
    }
    const auto answer = evaluator_.poll();
    if (!answer) return false;
    courier_.send(kMaster, to_text(*answer));
    --running_;
    return true;
  }

  Courier& courier_;
  Evaluator& evaluator_;
  const OptimizationObserver& observer_;
  std::vector<int> others_;
  bool reports_;
  Index running_ = 0;
  bool wished_ = false;
  std::optional<TrialRequest> together_;
};

}  // namespace

void serve_trials(Courier& courier, int rank, const RankLayout& layout, Evaluator& evaluator,
                  const OptimizationObserver& observer) {
  Worker(courier, rank, layout, evaluator, observer).serve();
}

}  // namespace tempera::detail
