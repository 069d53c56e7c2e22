#include "distributed/tasks/rank_packing.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "core/base/random_stream.hpp"

namespace tempera {
namespace {

/// The same with a flag for each rank.
class FlagPerRank {
 public:
  explicit FlagPerRank(RankSpan ranks) : ranks_(ranks), idle_(static_cast<std::size_t>(ranks.count), true) {}

  std::optional<RankSpan> take(int count) {
    for (int first = ranks_.first; first + count <= ranks_.end(); ++first) {
      const RankSpan span{first, count};
      if (idle_in(span) < count || (kept && kept->count > count && kept->meets(span))) continue;
      set(span, false);
      if (kept && kept->meets(span)) kept.reset();
      return span;
    }
    return std::nullopt;
  }
  void give_back(RankSpan span) { set(span, true); }
  void keep(int count) {
    if (kept && kept->count == count) return;
    kept = RankSpan{ranks_.first, count};
    for (int first = ranks_.first; first + count <= ranks_.end(); ++first)
      if (idle_in({first, count}) > idle_in(*kept)) kept = RankSpan{first, count};
  }
  bool is_idle(int rank) const { return idle_[static_cast<std::size_t>(rank - ranks_.first)]; }
  int idle_in(RankSpan span) const {
    int idle = 0;
    for (int rank = span.first; rank < span.end(); ++rank) idle += is_idle(rank) ? 1 : 0;
    return idle;
  }
  std::optional<RankSpan> kept;

 private:
  void set(RankSpan span, bool idle) {
    for (int rank = span.first; rank < span.end(); ++rank) idle_[static_cast<std::size_t>(rank - ranks_.first)] = idle;
  }
  RankSpan ranks_;
  std::vector<bool> idle_;
};

TEST(RankPacking, DoesAsAFlagPerRankDoesWhateverIsTakenGivenBackAndKept) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE(seed);
    RandomStream random(seed, "rank-packing-test", {});
    const RankSpan ranks{static_cast<int>(random.uniform_index(5)), 1 + static_cast<int>(random.uniform_index(24))};
    RankPacking packing(ranks);
    FlagPerRank reference(ranks);
    std::vector<RankSpan> taken;
    for (int step = 0; step < 300; ++step) {
      const auto choice = random.uniform_index(10);
      const int count = 1 + static_cast<int>(random.uniform_index(ranks.count));
      if (choice < 5) {
        const int small = 1 + count / 3;
        const auto span = packing.take(small);
        ASSERT_EQ(span, reference.take(small));
        if (span) taken.push_back(*span);
      } else if (choice < 8 && !taken.empty()) {
        const auto which = random.uniform_index(std::ssize(taken));
        packing.give_back(taken[static_cast<std::size_t>(which)]);
        reference.give_back(taken[static_cast<std::size_t>(which)]);
        taken.erase(taken.begin() + which);
      } else if (choice < 9) {
        packing.keep(count);
        reference.keep(count);
      } else {
        packing.let_go();
        reference.kept.reset();
      }
      ASSERT_EQ(packing.idle(), reference.idle_in(ranks));
      for (int rank = ranks.first; rank < ranks.end(); ++rank) {
        ASSERT_EQ(packing.is_idle(rank), reference.is_idle(rank)) << rank;
        ASSERT_EQ(packing.is_kept(rank), reference.kept && reference.kept->contains(rank)) << rank;
      }
    }
  }
}

//   ranks   1 2 3 4 5 6 7 8
//   busy    a a . . b . . c      the place of five with most idle ranks is 3 to 7
//   then    . . . . b . . c      of one: 1, then 2, then none
//   then    d e . . . . . c      of five: 3 to 7
TEST(RankPacking, WhatIsKeptIsSparedBySmallerTasksAndFreeOnceItsTasksHaveEnded) {
  RankPacking packing({1, 8});
  const auto a = packing.take(2), first = packing.take(2), b = packing.take(1), second = packing.take(2);
  ASSERT_EQ(packing.take(1), (RankSpan{8, 1}));
  packing.give_back(*first);
  packing.give_back(*second);
  ASSERT_FALSE(packing.take(5));
  packing.keep(5);
  for (int rank = 1; rank <= 8; ++rank) EXPECT_EQ(packing.is_kept(rank), rank >= 3 && rank <= 7);
  EXPECT_FALSE(packing.take(1)) << "four idle ranks, all of them kept";
  packing.give_back(*a);
  EXPECT_EQ(packing.take(1), (RankSpan{1, 1}));
  EXPECT_EQ(packing.take(1), (RankSpan{2, 1}));
  EXPECT_FALSE(packing.take(1));
  packing.give_back(*b);
  EXPECT_EQ(packing.take(5), (RankSpan{3, 5}));
  packing.give_back({3, 5});
  EXPECT_EQ(packing.take(1), (RankSpan{3, 1})) << "nothing is kept any more";
}

TEST(RankPacking, AStreamOfSmallTasksDoesNotHoldUpALargeOne) {
  RandomStream random(7, "rank-packing-stream", {});
  for (int round = 0; round < 100; ++round) {
    RankPacking packing({0, 12});
    std::vector<RankSpan> running;
    while (const auto span = packing.take(1)) running.push_back(*span);
    int ended = 0;
    packing.keep(9);
    for (;; ++ended) {
      ASSERT_LE(ended, 2000);
      const auto which = random.uniform_index(std::ssize(running));
      packing.give_back(running[static_cast<std::size_t>(which)]);
      running.erase(running.begin() + which);
      if (packing.take(9)) break;
      packing.keep(9);
      while (const auto span = packing.take(1)) running.push_back(*span);
    }
    EXPECT_EQ(running.size(), 3u);
  }
}

TEST(RankPacking, NoRanksHaveRoomForNothing) {
  RankPacking packing({1, 0});
  EXPECT_EQ(packing.idle(), 0);
  EXPECT_FALSE(packing.take(1));
  EXPECT_FALSE(packing.is_idle(1));
}

}  // namespace
}  // namespace tempera
