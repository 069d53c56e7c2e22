#include <gtest/gtest.h>

#include "distributed/communicator/detail/channel.hpp"
#include "distributed/communicator/objects.hpp"
#include "tests/support/mpi.hpp"
#include "tests/support/traffic.hpp"

// communicator.hpp says how traffic is counted; here are the numbers for 1000 doubles (8000 bytes) on P ranks.

namespace tempera {

namespace {

/// What `body` makes this rank send, taken from a region of its own.
template <class Body>
Traffic traffic_of(const Communicator& world, const char* name, Body&& body) {
  const auto region = world.regions().open(name);
  body();
  const RegionTable::Row& row = world.regions().rows().back();
  EXPECT_EQ(row.path, name);
  return {row.messages, row.bytes};
}

TEST(Traffic, IsCountedExactlyForTheInnermostRegion) {
  test::on_all_ranks([](const Communicator& world) {
    const std::int64_t others = world.size() - 1;
    const std::int64_t n = 8000;
    std::vector<double> data(1000, 1.0);
    const std::span<double> all(data);
    EXPECT_EQ(traffic_of(world, "barrier", [&] { world.barrier(); }), (Traffic{0, 0}));
    EXPECT_EQ(traffic_of(world, "broadcast", [&] { world.broadcast(all, 0); }),
              (world.is_root() ? Traffic{others, others * n} : Traffic{0, 0}));
    EXPECT_EQ(traffic_of(world, "scalar", [&] { world.all_reduce_value(1.0, Reduction::sum); }),
              (Traffic{others, 8 * others}));
    EXPECT_EQ(traffic_of(world, "all_gather", [&] { world.all_gather<double>(all); }), (Traffic{others, others * n}));
    EXPECT_EQ(traffic_of(world, "gather", [&] { world.gather<double>(all, 0); }),
              (world.is_root() ? Traffic{0, 0} : Traffic{1, n}));
    EXPECT_EQ(traffic_of(world, "empty", [&] { world.all_gather<double>({}); }), (Traffic{0, 0}));
    std::vector<Index> counts(static_cast<std::size_t>(world.size()), 0);
    counts.back() = 1000;
    const bool last = world.rank() == world.size() - 1;
    EXPECT_EQ(traffic_of(world, "all_to_all", [&] { world.all_to_all<double>(all, counts); }),
              (last ? Traffic{0, 0} : Traffic{1, n}));
    std::vector<double> mine(last ? 1000 : 0);
    EXPECT_EQ(traffic_of(world, "reduce_scatter", [&] { world.reduce_scatter_sum(all, counts, mine); }),
              (last ? Traffic{0, 0} : Traffic{1, n}));
    EXPECT_EQ(traffic_of(world, "gather_into", [&] { world.all_gather_into(mine, counts, all); }),
              (last ? Traffic{others, others * n} : Traffic{0, 0}));
    const Outgoing<double> out{(world.rank() + 1) % world.size(), all};
    std::vector<double> got(1000);
    const Incoming<double> in{(world.rank() + world.size() - 1) % world.size(), got};
    EXPECT_EQ(traffic_of(world, "exchange", [&] { world.exchange<double>(std::span(&out, 1), std::span(&in, 1)); }),
              (others > 0 ? Traffic{1, n} : Traffic{0, 0}));
  });
}

TEST(Traffic, LargeReductionsOnFewRanksCountTheirPiecesTwice) {
  test::on_all_ranks([](const Communicator& world) {
    detail::Channel::of(world).domain.limits.direct_ranks = world.size();
    const std::int64_t P = world.size();
    const std::int64_t piece = 3000 * 8;
    std::vector<double> data(static_cast<std::size_t>(3000 * P), 1.0);
    EXPECT_EQ(traffic_of(world, "all_reduce", [&] { world.all_reduce(std::span<double>(data), Reduction::sum); }),
              (Traffic{2 * (P - 1), 2 * (P - 1) * piece}));
  });
}

TEST(Traffic, LargeReductionsOnManyRanksTakeALogarithmicNumberOfMessages) {
  test::on_all_ranks([](const Communicator& world) {
    detail::Channel::of(world).domain.limits.direct_ranks = 0;
    const int P = world.size();
    std::int64_t power = 1, rounds = 0;
    for (; 2 * power <= P; power *= 2) ++rounds;
    const std::int64_t extra = P - power, n = 12000 * 8;
    std::vector<double> data(12000, 1.0);
    const Traffic halving{2 * rounds, 2 * (n - n / power)};
    const Traffic expected = world.rank() >= 2 * extra ? halving
                             : world.rank() % 2 == 1   ? Traffic{1, n}
                                                       : Traffic{halving.messages + 1, halving.bytes + n};
    EXPECT_EQ(traffic_of(world, "all_reduce", [&] { world.all_reduce(std::span<double>(data), Reduction::sum); }),
              P == 1 ? (Traffic{0, 0}) : expected);
  });
}

TEST(Traffic, OfAnIndependentGroupGoesToItsOwnTable) {
  test::on_all_ranks([](const Communicator& world) {
    const Communicator apart = world.split_independent(0, 0);
    const std::int64_t before = world.regions().rows()[0].bytes;
    apart.all_reduce_value(1.0, Reduction::sum);
    EXPECT_EQ(world.regions().rows()[0].bytes, before);
    EXPECT_EQ(apart.regions().rows()[0].bytes, 8 * (world.size() - 1));
  });
}

}  // namespace
}  // namespace tempera
