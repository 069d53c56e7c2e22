#pragma once

#include <string>
#include <variant>
#include <vector>

#include "core/bayesopt/proposer.hpp"
#include "distributed/bayesopt/evaluator.hpp"

namespace tempera::detail {

/// Between master and workers. How long one is depends on the number of parameters and on the words in it (names of
/// constraints, reasons, what a proposer says), not on the numbers: so what a run sends is known before it.
/// To ranks of the model.
struct ModelRequest {
  Index number = 0;
  Index known = 0;              ///< finished trials that were told before
  std::vector<Trial> finished;  ///< those after them
  std::vector<PendingTrial> pending;
};
struct ModelAnswer {
  Proposal proposal;
};
struct LeaveMessage {};     ///< to a worker: end it; from a worker: it has ended, nothing follows
struct StopWishMessage {};  ///< from a worker: a signal has reached it
using Message = std::variant<TrialRequest, TrialAnswer, ModelRequest, ModelAnswer, LeaveMessage, StopWishMessage>;

std::string to_text(const Message& message);
Message message_from_text(const std::string& text);

}  // namespace tempera::detail
