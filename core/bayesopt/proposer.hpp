#pragma once

#include <nlohmann/json.hpp>
#include <span>

#include "core/bayesopt/trial.hpp"

namespace tempera {

struct Proposal {
  Point point;                 ///< empty: every point of the space is tried or pending
  nlohmann::ordered_json why;  ///< for the journal: the rule, the acquisition's value, …
};

/// Chooses the points to try. The same history gives the same proposals: random numbers are keyed by the seed and the
/// number of the proposal.
class Proposer {
 public:
  virtual ~Proposer() = default;
  /// Whether a proposal takes so little time that nobody minds waiting for it.
  virtual bool is_quick() const { return false; }
  /// @param number    of the proposal, from 0
  /// @param finished  in the order in which they were told
  /// @param pending   proposed and not finished, in the order of their numbers
  virtual Proposal propose(Index number, std::span<const Trial> finished, std::span<const PendingTrial> pending) = 0;
};

}  // namespace tempera
