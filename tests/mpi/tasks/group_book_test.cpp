#include "distributed/tasks/detail/group_book.hpp"

#include <gtest/gtest.h>

#include <set>

#include "core/base/random_stream.hpp"

namespace tempera::detail {
namespace {

// Each rank hears of what it has to forget before its next task only, and then still all ranks of a group hold its
// communicator or none does.
TEST(GroupBook, TheRanksOfAGroupAgreeOnWhetherItIsNewAndNoneIsInMoreThanTheLimit) {
  constexpr int kRanks = 9;
  for (const std::size_t limit : {1u, 2u, 5u}) {
    RandomStream random(limit, "group-book-test", {});
    GroupBook book(kRanks, limit);
    std::vector<std::set<RankSpan>> held(kRanks);
    int made = 0, used_again = 0;
    for (int step = 0; step < 3000; ++step) {
      const auto first = static_cast<int>(random.uniform_index(kRanks));
      const RankSpan group{first, 1 + static_cast<int>(random.uniform_index(std::min(kRanks - first, 3)))};
      book.use(group);
      int holders = 0;
      for (int rank = group.first; rank < group.end(); ++rank) {
        auto& mine = held[static_cast<std::size_t>(rank)];
        for (const RankSpan old : book.take_forgotten(rank)) mine.erase(old);
        holders += mine.contains(group) ? 1 : 0;
        mine.insert(group);
        ASSERT_LE(mine.size(), limit);
      }
      ASSERT_TRUE(holders == 0 || holders == group.count) << step;
      (holders == 0 ? made : used_again) += 1;
    }
    EXPECT_GT(made, 0);
    EXPECT_GT(used_again, 0);
  }
}

TEST(GroupBook, ForgetsWhatWasNotUsedForLongest) {
  GroupBook book(3, 2);
  for (const RankSpan group : {RankSpan{0, 1}, RankSpan{0, 2}, RankSpan{0, 1}, RankSpan{0, 3}}) book.use(group);
  EXPECT_EQ(book.take_forgotten(0), std::vector{(RankSpan{0, 2})});
  EXPECT_EQ(book.take_forgotten(1), std::vector{(RankSpan{0, 2})}) << "all of its ranks";
  EXPECT_EQ(book.take_forgotten(2), std::vector<RankSpan>{});
  EXPECT_EQ(book.take_forgotten(0), std::vector<RankSpan>{}) << "once";
}

}  // namespace
}  // namespace tempera::detail
