#include "core/base/parallel.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "core/base/contract.hpp"

namespace tempera {
namespace {

TEST(Parallel, EveryNumberIsInOnePieceOfFixedLength) {
  for (const Index count : {0, 1, 7, 8, 9, 100})
    for (const Index length : {1, 8, 200})
      for (const int threads : {0, 1, 2, 5, 64}) {
        std::vector<int> visits(static_cast<std::size_t>(count), 0);
        std::atomic<Index> pieces = 0;
        for_each_piece(count, length, threads, [&](const Piece& piece) {
          ++pieces;
          EXPECT_EQ(piece.begin % length, 0);
          EXPECT_TRUE(piece.end - piece.begin == length || (piece.begin < piece.end && piece.end == count));
          EXPECT_TRUE(piece.worker >= 0 && piece.worker < workers_for(count, length, threads)) << piece.worker;
          for (Index i = piece.begin; i < piece.end; ++i) ++visits[static_cast<std::size_t>(i)];
        });
        EXPECT_EQ(pieces, (count + length - 1) / length);
        EXPECT_EQ(visits, std::vector<int>(static_cast<std::size_t>(count), 1)) << count << " by " << length;
      }
}

TEST(Parallel, WorkersAreNoMoreThanThreadsAndPieces) {
  EXPECT_EQ(workers_for(0, 8, 4), 1);
  EXPECT_EQ(workers_for(8, 8, 4), 1);
  EXPECT_EQ(workers_for(9, 8, 4), 2);
  EXPECT_EQ(workers_for(100, 8, 4), 4);
  EXPECT_EQ(workers_for(100, 8, 0), 1);
  EXPECT_THROW(workers_for(1, 0, 1), ContractViolation);
}

TEST(Parallel, ATeamOfThreadsTakesThePieces) {
  for (const auto& [threads, team] : {std::pair(1, 1), {2, 2}, {3, 3}, {9, 4}}) {
    std::atomic<int> members = 0;
    for_each_piece(4, 1, threads, [&](const Piece&) { members = omp_get_num_threads(); });
    EXPECT_EQ(members, team) << threads << " threads, 4 pieces";
  }
}

// Each worker's own memory: the pieces it has had, added up, are all pieces.
TEST(Parallel, AWorkerHasOnePieceAtATime) {
  const int threads = 4;
  std::vector<std::vector<Index>> seen(threads);
  for_each_piece(1000, 3, threads, [&](const Piece& piece) {
    seen[static_cast<std::size_t>(piece.worker)].push_back(piece.end - piece.begin);
  });
  Index sum = 0;
  for (const auto& lengths : seen)
    for (const Index length : lengths) sum += length;
  EXPECT_EQ(sum, 1000);
}

TEST(Parallel, ThrowsWhatTheLowestPieceThrew) {
  for (const int threads : {1, 2, 3, 5})
    for (int round = 0; round < 50; ++round) {
      std::atomic<int> before = 0;
      try {
        for_each_piece(100, 1, threads, [&](const Piece& piece) {
          if (piece.begin < 20) ++before;
          if (piece.begin >= 20 && piece.begin % 2 == 0) throw std::runtime_error(std::to_string(piece.begin));
        });
        FAIL() << "no exception";
      } catch (const std::runtime_error& error) {
        EXPECT_STREQ(error.what(), "20") << threads << " threads";
      }
      EXPECT_EQ(before, 20) << "pieces before the one that failed";
    }
}

}  // namespace
}  // namespace tempera
