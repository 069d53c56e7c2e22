#include "distributed/bayesopt/rank_layout.hpp"

#include <fmt/format.h>

#include "core/base/contract.hpp"
#include "core/base/error.hpp"

namespace tempera {

namespace {

std::string ranks_text(int count) {
  return fmt::format("{} MPI rank{}", count, count == 1 ? "" : "s");
}

}  // namespace

RankLayout::RankLayout(int ranks, const RankLayoutOptions& options) : ranks_(ranks), options_(options) {
  const int model = options.model_ranks, each = options.ranks_per_trial;
  TEMPERA_EXPECTS(ranks >= 1 && model >= 0 && each >= 1);
  if (model == 0 && each == 1) return;
  const auto refuse = [&](const std::string& option, const std::string& what, int least) {
    throw Error(Category::usage, option,
                fmt::format("{}, so the job needs {} at least; it has {}", what, ranks_text(least), ranks),
                fmt::format("mpirun -n {}, or fewer of them", least));
  };
  if (each > 1 && ranks < 1 + each)
    refuse("--ranks-per-trial", fmt::format("a trial takes {} and one more proposes", ranks_text(each)), 1 + each);
  if (ranks < 1 + model + each)
    refuse("--model-ranks",
           fmt::format("{} would compute the model, one proposes and a trial takes {}", model, ranks_text(each)),
           1 + model + each);
}

RankRole RankLayout::role(int rank) const {
  TEMPERA_EXPECTS(rank >= 0 && rank < ranks_);
  if (rank == 0) return RankRole::master;
  if (rank < first_worker()) return RankRole::model;
  return group_of(rank) < groups() ? RankRole::worker : RankRole::idle;
}

int RankLayout::superior(int rank) const {
  if (rank == 0) return -1;
  if (role(rank) != RankRole::worker) return 0;
  const int first = first_of(group_of(rank));
  return rank == first ? 0 : first;
}

std::vector<int> RankLayout::inferiors(int rank) const {
  std::vector<int> ranks;
  for (int other = 0; other < ranks_; ++other)
    if (superior(other) == rank) ranks.push_back(other);
  return ranks;
}

Communicator RankLayout::split(const Communicator& world) const {
  TEMPERA_EXPECTS(world.size() == ranks_);
  constexpr int kMaster = 0, kModel = 1, kFirstGroup = 2, kNobody = -1;
  const int rank = world.rank();
  switch (role(rank)) {
    case RankRole::master: return world.split(kMaster, rank);
    case RankRole::model: return world.split(kModel, rank);
    case RankRole::worker: return world.split(kFirstGroup + group_of(rank), rank);
    case RankRole::idle: break;
  }
  return world.split(kNobody, rank);
}

}  // namespace tempera
