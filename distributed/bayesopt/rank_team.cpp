#include "distributed/bayesopt/rank_team.hpp"

namespace tempera {

void RankTeam::join(const Communicator& ranks) {
  together_.reset();
  together_.emplace(Together{ShardedGpMaker(ranks, limits_), RankDealer(ranks)});
}

}  // namespace tempera
