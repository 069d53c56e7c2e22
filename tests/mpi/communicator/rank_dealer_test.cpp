#include "distributed/communicator/rank_dealer.hpp"

#include <gtest/gtest.h>

#include "tests/support/mpi.hpp"

namespace tempera::test {
namespace {

TEST(RankDealer, GivesAllResultsToAllInOrder) {
  on_all_ranks([](const Communicator& world) {
    RankDealer dealer(world);
    Dealer alone;
    for (const Index pieces : {0, 1, 2, 7}) {
      Index mine = 0;
      const auto piece = [](Index k) { return std::vector<double>(static_cast<std::size_t>(k % 3), 1.0 / (1.0 + k)); };
      const auto dealt = dealer.deal(pieces, [&](Index k) { return ++mine, piece(k); });
      EXPECT_EQ(dealt, alone.deal(pieces, piece));
      EXPECT_EQ(world.all_reduce_value(mine, Reduction::sum), pieces) << "each is done once";
    }
  });
}

TEST(RankDealer, WhatAPieceThrowsArrivesEverywhere) {
  const Communicator world(MPI_COMM_WORLD);
  for (const Index bad : {0, 2}) {
    try {
      collectively(world, [&] {
        RankDealer(world).deal(3, [&](Index k) {
          if (k == bad) throw Error(Category::numerical, "", "piece " + std::to_string(k));
          return std::vector<double>{1};
        });
      });
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.what_is_wrong(), "piece " + std::to_string(bad));
    }
  }
}

}  // namespace
}  // namespace tempera::test
