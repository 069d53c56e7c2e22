#include "distributed/bayesopt/rank_layout.hpp"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/mpi.hpp"

namespace tempera::test {
namespace {

/// A letter a rank: M, m(odel), w(orker that leads), . (another of its group), - (idle).
std::string picture(int ranks, int model, int each) {
  const RankLayout layout(ranks, {model, each});
  std::string text;
  for (int rank = 0; rank < ranks; ++rank) switch (layout.role(rank)) {
      case RankRole::master: text += 'M'; break;
      case RankRole::model: text += 'm'; break;
      case RankRole::worker: text += layout.superior(rank) == 0 ? 'w' : '.'; break;
      case RankRole::idle: text += '-'; break;
    }
  return text;
}

TEST(RankLayout, DealsTheRanksInOrder) {
  EXPECT_EQ(picture(1, 0, 1), "M");
  EXPECT_EQ(picture(4, 0, 1), "Mwww");
  EXPECT_EQ(picture(4, 0, 2), "Mw.-");
  EXPECT_EQ(picture(7, 0, 3), "Mw..w..");
  EXPECT_EQ(picture(8, 2, 2), "Mmmw.w.-");
  EXPECT_EQ(picture(5, 3, 1), "Mmmmw");
}

TEST(RankLayout, EveryRankTakesOrdersFromOneThatKnowsOfIt) {
  for (int ranks = 1; ranks <= 9; ++ranks)
    for (int model = 0; model <= 3; ++model)
      for (int each = 1; each <= 4; ++each) {
        if (ranks < 1 + model + each && (ranks > 1 || model > 0 || each > 1)) continue;
        const RankLayout layout(ranks, {model, each});
        int counted = 0, leaders = 0, idle = 0;
        for (int rank = 0; rank < ranks; ++rank) {
          counted += static_cast<int>(layout.inferiors(rank).size());
          for (const int other : layout.inferiors(rank)) EXPECT_EQ(layout.superior(other), rank);
          idle += layout.role(rank) == RankRole::idle ? 1 : 0;
          if (layout.role(rank) != RankRole::worker || layout.superior(rank) != 0) continue;
          ++leaders;
          EXPECT_EQ(std::ssize(layout.inferiors(rank)), each - 1);
        }
        EXPECT_EQ(counted, ranks - 1);
        EXPECT_EQ(layout.groups(), ranks == 1 ? 1 : leaders);
        EXPECT_EQ(layout.idle(), idle);
      }
}

TEST(RankLayout, RefusesMoreRanksThanThereAre) {
  const auto refusal = [](int ranks, int model, int each) -> std::string {
    try {
      const RankLayout layout(ranks, {model, each});
      return "none";
    } catch (const Error& error) {
      EXPECT_EQ(error.category(), Category::usage);
      return error.where() + ": " + error.what_is_wrong() + "; " + error.hint();
    }
  };
  EXPECT_EQ(refusal(1, 0, 1), "none");
  EXPECT_EQ(refusal(3, 0, 2), "none");
  EXPECT_EQ(
      refusal(2, 0, 2),
      "--ranks-per-trial: a trial takes 2 MPI ranks and one more proposes, so the job needs 3 MPI ranks at least; it "
      "has 2; mpirun -n 3, or fewer of them");
  EXPECT_EQ(
      refusal(4, 2, 2),
      "--model-ranks: 2 would compute the model, one proposes and a trial takes 2 MPI ranks, so the job needs 5 MPI "
      "ranks at least; it has 4; mpirun -n 5, or fewer of them");
  EXPECT_EQ(
      refusal(2, 1, 1),
      "--model-ranks: 1 would compute the model, one proposes and a trial takes 1 MPI rank, so the job needs 3 MPI "
      "ranks at least; it has 2; mpirun -n 3, or fewer of them");
}

TEST(RankLayout, SplitsTheRanksByWhatTheyDo) {
  on_all_ranks([](const Communicator& world) {
    for (int each = 1; each < world.size(); ++each)
      for (int model = 0; model + each < world.size(); ++model) {
        const RankLayout layout(world.size(), {model, each});
        const Communicator group = layout.split(world);
        switch (layout.role(world.rank())) {
          case RankRole::master: EXPECT_EQ(group.size(), 1); break;
          case RankRole::model: EXPECT_EQ(group.size(), model); break;
          case RankRole::worker:
            EXPECT_EQ(group.size(), each);
            EXPECT_EQ(group.is_root(), layout.superior(world.rank()) == 0);
            EXPECT_EQ(group.all_reduce_value(world.rank(), Reduction::minimum), world.rank() - group.rank());
            break;
          case RankRole::idle: EXPECT_EQ(group.size(), 0); break;
        }
      }
  });
}

}  // namespace
}  // namespace tempera::test
