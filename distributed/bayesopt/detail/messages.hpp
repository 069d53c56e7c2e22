#pragma once

#include <string>
#include <variant>

#include "distributed/bayesopt/evaluator.hpp"

namespace tempera::detail {

/// Between master and workers, as JSON texts.
struct LeaveMessage {};     ///< to a worker: end it; from a worker: it has ended, nothing follows
struct StopWishMessage {};  ///< from a worker: a signal has reached it
using Message = std::variant<TrialRequest, TrialAnswer, LeaveMessage, StopWishMessage>;

std::string to_text(const Message& message);
Message message_from_text(const std::string& text);

}  // namespace tempera::detail
