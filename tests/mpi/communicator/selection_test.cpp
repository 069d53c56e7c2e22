#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <vector>

#include "tests/support/mpi.hpp"

namespace tempera {
namespace {

using test::on_all_ranks;

/// Every non-empty subset of the ranks, one of them in ascending and the next in descending order.
std::vector<std::vector<int>> subsets(int ranks) {
  std::vector<std::vector<int>> all;
  for (int mask = 1; mask < 1 << ranks; ++mask) {
    std::vector<int> subset;
    for (int rank = 0; rank < ranks; ++rank)
      if ((mask >> rank & 1) != 0) subset.push_back(rank);
    if (mask % 2 == 0) std::ranges::reverse(subset);
    all.push_back(std::move(subset));
  }
  return all;
}

bool contains(const std::vector<int>& ranks, int rank) {
  return std::ranges::find(ranks, rank) != ranks.end();
}

std::string message_from(const Communicator& communicator, const std::function<void()>& body) {
  try {
    collectively(communicator, body);
  } catch (const Error& error) {
    return error.message();
  }
  return "no error";
}

TEST(Selection, EverySubsetIsACommunicatorInTheOrderOfItsListAndTheOthersTakeNoPart) {
  on_all_ranks([](const Communicator& world) {
    std::vector<Communicator> kept;
    for (const std::vector<int>& ranks : subsets(world.size())) {
      if (!contains(ranks, world.rank())) continue;  // it comes to its own next one meanwhile
      const Communicator group = world.select_independent(ranks);
      ASSERT_EQ(group.size(), std::ssize(ranks));
      EXPECT_EQ(ranks[static_cast<std::size_t>(group.rank())], world.rank());
      const int mine = world.rank();
      EXPECT_EQ(group.all_gather(std::span<const int>(&mine, 1)), ranks);
      EXPECT_NE(&group.regions(), &world.regions());
      kept.push_back(group);
    }
    std::size_t next = 0;
    for (const std::vector<int>& ranks : subsets(world.size())) {  // they do not disturb each other
      if (!contains(ranks, world.rank())) continue;
      EXPECT_EQ(kept[next++].all_reduce_value(world.rank(), Reduction::sum),
                std::accumulate(ranks.begin(), ranks.end(), 0));
    }
    world.barrier();
  });
}

TEST(Selection, AnErrorCaughtInAGroupLeavesTheOthersAlone) {
  on_all_ranks([](const Communicator& world) {
    const bool lower = world.rank() < world.size() / 2;
    std::vector<int> ranks;
    for (int rank = 0; rank < world.size(); ++rank)
      if ((rank < world.size() / 2) == lower) ranks.push_back(rank);
    for (int round = 0; round < 100; ++round) {
      const Communicator group = world.select_independent(ranks);
      const std::string message = message_from(group, [&] {
        group.barrier();
        if (!lower && group.rank() == round % group.size()) throw Error(Category::input, "group", "upper");
        group.all_reduce_value(1, Reduction::sum);
      });
      EXPECT_EQ(message, lower ? "no error" : "tempera: error: group: upper");
      EXPECT_EQ(group.all_reduce_value(1, Reduction::sum), group.size());
    }
    EXPECT_EQ(world.all_reduce_value(1, Reduction::sum), world.size());
  });
}

TEST(Selection, WhoWaitsForARankThatFailedLeavesTooAndLaterGroupsAreWhole) {
  const Communicator world(MPI_COMM_WORLD);
  std::vector<int> ranks(static_cast<std::size_t>(world.size()));
  std::iota(ranks.rbegin(), ranks.rend(), 0);
  for (int round = 0; round < 50; ++round) {
    const int culprit = round % world.size();
    EXPECT_EQ(message_from(world,
                           [&] {
                             if (world.rank() == culprit) throw Error(Category::input, "here", "x");
                             world.select_independent(ranks).barrier();
                           }),
              "tempera: error: here: x");
    EXPECT_EQ(message_from(world,
                           [&] {
                             const Communicator group = world.select_independent(ranks);
                             EXPECT_EQ(group.all_reduce_value(1, Reduction::sum), world.size());
                           }),
              "no error");
  }
}

TEST(Selection, AFailureOutsideDoesNotTearAGroupInTheMaking) {
  const Communicator world(MPI_COMM_WORLD);
  TEMPERA_REQUIRE_RANKS(world, 3);
  std::vector<int> ranks(static_cast<std::size_t>(world.size()) - 1);
  std::iota(ranks.begin(), ranks.end(), 1);
  for (int round = 0; round < 200; ++round) {
    EXPECT_EQ(message_from(world,
                           [&] {
                             if (world.is_root()) throw Error(Category::input, "outside", "x");
                             for (;;) world.select_independent(ranks).barrier();
                           }),
              "tempera: error: outside: x");
    EXPECT_EQ(world.all_reduce_value(1, Reduction::sum), world.size());
  }
}

TEST(Selection, DifferentListsAreAnError) {
  const Communicator world(MPI_COMM_WORLD);
  TEMPERA_REQUIRE_RANKS(world, 3);
  const std::string message = message_from(world, [&] {
    if (world.rank() > 2) return;
    if (world.rank() < 2)
      world.select_independent(std::vector<int>{0, 1, 2});
    else
      world.select_independent(std::vector<int>{0, 2});
  });
  EXPECT_NE(message.find("ranks 0, 1, 2 call select_independent with different lists"), std::string::npos) << message;
  EXPECT_EQ(world.all_reduce_value(1, Reduction::sum), world.size());
}

}  // namespace
}  // namespace tempera
