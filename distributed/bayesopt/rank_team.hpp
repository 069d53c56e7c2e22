#pragma once

#include <optional>

#include "core/bayesopt/model_team.hpp"
#include "distributed/communicator/rank_dealer.hpp"
#include "distributed/gaussian_process/sharded_gp_maker.hpp"

namespace tempera {

/// MPI ranks that compute a proposal together: independent pieces are dealt over them, models of many trials are sharded. A
/// process that has not joined any is alone.
class RankTeam final : public ModelTeam {
 public:
  explicit RankTeam(ShardedGpMaker::Limits limits = {}) : limits_(limits) {}

  /// From now on all that uses the team is collective over these ranks. Collective.
  void join(const Communicator& ranks);
  /// Back to being alone; models made before are not used any more. Collective.
  void leave() { together_.reset(); }

  const GpMaker& maker() const override { return together_ ? together_->maker : ModelTeam::maker(); }
  Dealer& dealer(bool shared) override { return together_ && !shared ? together_->dealer : ModelTeam::dealer(shared); }

 private:
  struct Together {
    ShardedGpMaker maker;
    RankDealer dealer;
  };
  ShardedGpMaker::Limits limits_;
  std::optional<Together> together_;
};

}  // namespace tempera
