#pragma once

#include "distributed/bayesopt/optimization.hpp"
#include "distributed/communicator/courier.hpp"

namespace tempera::detail {

/// A rank of the model, until it is told to leave: proposes together with the others what rank 0 asks for; the first of them
/// answers.
/// @param group  the ranks of the model, which get the same requests in the same order
void serve_proposals(Courier& courier, const Communicator& group, Proposer& proposer,
                     const OptimizationObserver& observer);

}  // namespace tempera::detail
