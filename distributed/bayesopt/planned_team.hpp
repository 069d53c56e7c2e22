#pragma once

#include <utility>
#include <vector>

#include "core/bayesopt/model_team.hpp"
#include "distributed/communicator/operation_traffic.hpp"

namespace tempera {

/// The ranks of a RankTeam that need not run: this process does the pieces of all of them, and notes what they would send and
/// how much sooner they would be done. Models are made by each rank for itself.
/// @pre no model has as many points as are shared (ShardedGpMaker::Limits)
class PlannedTeam final : public ModelTeam {
 public:
  /// @pre ranks ≥ 1
  explicit PlannedTeam(int ranks) : dealer_(ranks) {}

  Dealer& dealer(bool) override { return dealer_; }

  struct Work {
    Traffic sent;              ///< by all ranks together, as the communicator counts it
    double seconds_saved = 0;  ///< what the pieces took here less what the rank that has most of them would take
  };
  /// Since the last call.
  Work take() { return std::exchange(dealer_.work, {}); }

 private:
  class CountingDealer final : public Dealer {
   public:
    explicit CountingDealer(int ranks) : ranks_(ranks) {}
    std::vector<std::vector<double>> deal(Index pieces, const Piece& piece) override;
    Work work;

   private:
    int ranks_;
  };
  CountingDealer dealer_;
};

}  // namespace tempera
