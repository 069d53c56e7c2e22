#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include "core/base/contract.hpp"
#include "distributed/communicator/detail/channel.hpp"
#include "tests/support/mpi.hpp"

// Every collective against the serial answer, which each rank works out alone from the values that all ranks put in.

namespace tempera {
namespace {

using test::on_all_ranks;

constexpr std::size_t kLengths[] = {0, 1, 3, 17, 200, 5000};

/// Value of element i on a rank: far from associative under rounding.
double value(int rank, std::size_t i) {
  return std::sin(1.0 + 37.0 * rank + 0.1 * static_cast<double>(i)) *
         std::pow(10.0, (rank * 5 + static_cast<int>(i)) % 13);
}

std::vector<double> values(int rank, std::size_t length) {
  std::vector<double> data(length);
  for (std::size_t i = 0; i < length; ++i) data[i] = value(rank, i);
  return data;
}

/// Limits so small that short arrays take the paths of those beyond 2^31 bytes.
struct LimitCase {
  std::size_t chunk, in_arrival, slab;
  int direct_ranks = 4;
};
constexpr LimitCase kLimits[] = {{std::size_t{1} << 30, detail::Arrival::kCapacity, std::size_t{64} << 20},
                                 {std::size_t{1} << 30, 0, std::size_t{64} << 20},
                                 {64, 0, 1 << 20},
                                 {24, 0, 104},
                                 {std::size_t{1} << 30, 0, std::size_t{64} << 20, 0},
                                 {24, 0, 104, 0}};

template <class Body>
void for_all_limits(Body&& body) {
  for (const LimitCase& limits : kLimits) {
    SCOPED_TRACE(testing::Message() << "chunk " << limits.chunk << " inline " << limits.in_arrival << " slab "
                                    << limits.slab << " direct " << limits.direct_ranks);
    on_all_ranks([&](const Communicator& world) {
      detail::Channel::of(world).domain.limits = {{limits.in_arrival, limits.slab, limits.direct_ranks}, limits.chunk};
      body(world);
    });
  }
}

void expect_same_bits(const std::vector<double>& a, const std::vector<double>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i)
    ASSERT_EQ(std::memcmp(&a[i], &b[i], sizeof(double)), 0) << "element " << i << ": " << a[i] << " and " << b[i];
}

std::vector<double> serial_sum(int ranks, std::size_t length) {
  std::vector<double> sum = values(0, length);
  for (int q = 1; q < ranks; ++q)
    for (std::size_t i = 0; i < length; ++i) sum[i] += value(q, i);
  return sum;
}

/// Neighbours are united until one is left; before that the first pairs alone, down to a power of two.
std::vector<double> tree_sum(int ranks, std::size_t length) {
  std::vector<double> sum;
  for (std::size_t i = 0; i < length; ++i) {
    std::vector<double> level;
    int power = 1;
    while (2 * power <= ranks) power *= 2;
    for (int q = 0; q < ranks; ++q) {
      level.push_back(value(q, i));
      if (q % 2 == 0 && q < 2 * (ranks - power)) level.back() += value(++q, i);
    }
    for (; level.size() > 1; level.resize(level.size() / 2))
      for (std::size_t k = 0; 2 * k < level.size(); ++k) level[k] = level[2 * k] + level[2 * k + 1];
    sum.push_back(level.front());
  }
  return sum;
}

TEST(AllReduce, SumsHaveTheBitsOfTheSerialSumInRankOrderOrAlongTheTree) {
  for_all_limits([](const Communicator& world) {
    const detail::Channel& channel = detail::Channel::of(world);
    for (std::size_t length : kLengths) {
      std::vector<double> data = values(world.rank(), length);
      world.all_reduce(std::span<double>(data), Reduction::sum);
      const bool direct = channel.fits_inline(8 * length) || channel.size <= channel.domain.limits.direct_ranks;
      expect_same_bits(data, direct ? serial_sum(world.size(), length) : tree_sum(world.size(), length));
    }
  });
}

TEST(AllReduce, EqualElementsHaveEqualSumsWhereverTheyLie) {
  for_all_limits([](const Communicator& world) {
    std::vector<double> data(5000, value(world.rank(), 3));
    world.all_reduce(std::span<double>(data), Reduction::sum);
    expect_same_bits(data, std::vector<double>(data.size(), data.front()));
  });
}

TEST(AllReduce, MinimumAndMaximumMatchTheSerialAnswer) {
  for_all_limits([](const Communicator& world) {
    for (std::size_t length : kLengths) {
      std::vector<double> low = values(world.rank(), length);
      std::vector<double> high = low;
      world.all_reduce(std::span<double>(low), Reduction::minimum);
      world.all_reduce(std::span<double>(high), Reduction::maximum);
      for (std::size_t i = 0; i < length; ++i) {
        double expected_low = value(0, i);
        double expected_high = value(0, i);
        for (int q = 1; q < world.size(); ++q) {
          expected_low = std::min(expected_low, value(q, i));
          expected_high = std::max(expected_high, value(q, i));
        }
        ASSERT_EQ(low[i], expected_low);
        ASSERT_EQ(high[i], expected_high);
      }
    }
  });
}

TEST(AllReduce, NotANumberOnOneRankIsSeenByAll) {
  for_all_limits([](const Communicator& world) {
    for (int culprit = 0; culprit < world.size(); ++culprit)
      for (Reduction reduction : {Reduction::sum, Reduction::minimum, Reduction::maximum}) {
        double x = world.rank() == culprit ? std::numeric_limits<double>::quiet_NaN() : 1.0;
        EXPECT_TRUE(std::isnan(world.all_reduce_value(x, reduction)));
      }
  });
}

TEST(AllReduce, IntegersOfEveryKind) {
  for_all_limits([](const Communicator& world) {
    const int P = world.size();
    EXPECT_EQ(world.all_reduce_value(world.rank() + 1, Reduction::sum), P * (P + 1) / 2);
    const std::int64_t large = std::int64_t{1} << 40;
    EXPECT_EQ(world.all_reduce_value(large + world.rank(), Reduction::maximum), large + P - 1);
    EXPECT_EQ(world.all_reduce_value(-large - world.rank(), Reduction::minimum), -large - P + 1);
    const std::uint64_t top = std::numeric_limits<std::uint64_t>::max() - static_cast<std::uint64_t>(world.rank());
    EXPECT_EQ(world.all_reduce_value(top, Reduction::maximum), std::numeric_limits<std::uint64_t>::max());
    EXPECT_EQ(world.all_reduce_value(world.rank() == P - 1 ? 6 : 0, Reduction::logical_or), 1);
    EXPECT_EQ(world.all_reduce_value(0, Reduction::logical_or), 0);
  });
}

TEST(Broadcast, EveryRankGetsTheBytesOfTheRoot) {
  for_all_limits([](const Communicator& world) {
    for (int root = 0; root < world.size(); ++root)
      for (std::size_t length : kLengths) {
        std::vector<double> data = values(world.rank(), length);
        world.broadcast(std::span<double>(data), root);
        expect_same_bits(data, values(root, length));
      }
  });
}

TEST(ExclusiveSum, CountsTheRanksBefore) {
  for_all_limits([](const Communicator& world) {
    const std::int64_t r = world.rank();
    EXPECT_EQ(world.exclusive_sum(r + 1), r * (r + 1) / 2);
  });
}

TEST(AllGather, ConcatenatesPartsOfDifferentLengthsInRankOrder) {
  for_all_limits([](const Communicator& world) {
    for (std::size_t length : kLengths) {
      const auto length_of = [&](int q) { return length * static_cast<std::size_t>(q % 3); };
      std::vector<double> expected;
      for (int q = 0; q < world.size(); ++q)
        for (double x : values(q, length_of(q))) expected.push_back(x);
      const std::vector<double> mine = values(world.rank(), length_of(world.rank()));
      expect_same_bits(world.all_gather(std::span<const double>(mine)), expected);
      for (int root = 0; root < world.size(); ++root)
        expect_same_bits(world.gather(std::span<const double>(mine), root),
                         world.rank() == root ? expected : std::vector<double>());
    }
  });
}

TEST(AllToAll, SendsPieceQToRankQ) {
  for_all_limits([](const Communicator& world) {
    for (std::size_t length : kLengths) {
      const auto count = [&](int from, int to) { return length * static_cast<std::size_t>((from + 2 * to) % 3); };
      const auto entry = [](int from, int to, std::size_t i) {
        return from * 1'000'000 + to * 10'000 + static_cast<int>(i);
      };
      std::vector<int> send;
      std::vector<Index> counts;
      std::vector<int> expected;
      std::vector<Index> expected_counts;
      for (int q = 0; q < world.size(); ++q) {
        counts.push_back(static_cast<Index>(count(world.rank(), q)));
        expected_counts.push_back(static_cast<Index>(count(q, world.rank())));
        for (std::size_t i = 0; i < count(world.rank(), q); ++i) send.push_back(entry(world.rank(), q, i));
        for (std::size_t i = 0; i < count(q, world.rank()); ++i) expected.push_back(entry(q, world.rank(), i));
      }
      std::vector<Index> received;
      EXPECT_EQ(world.all_to_all(std::span<const int>(send), counts, &received), expected);
      EXPECT_EQ(received, expected_counts);
      EXPECT_EQ(world.all_to_all(std::span<const int>(send), counts), expected);
    }
  });
}

TEST(ReduceScatter, PiecesAreThoseOfTheSerialSumAndGatherBack) {
  for_all_limits([](const Communicator& world) {
    for (std::size_t length : kLengths) {
      std::vector<Index> counts;
      for (int q = 0; q < world.size(); ++q)
        counts.push_back(static_cast<Index>(length * static_cast<std::size_t>((q + 1) % 3)));
      const auto total = static_cast<std::size_t>(std::accumulate(counts.begin(), counts.end(), Index{0}));
      const std::vector<double> data = values(world.rank(), total);
      const auto rank = static_cast<std::size_t>(world.rank());
      std::vector<double> mine(static_cast<std::size_t>(counts[rank]));
      world.reduce_scatter_sum(data, counts, mine);

      std::vector<double> all(total, -1.0);
      world.all_gather_into(mine, counts, all);
      expect_same_bits(all, serial_sum(world.size(), total));

      std::vector<double> in_place(total, -1.0);
      const auto before =
          static_cast<std::size_t>(std::accumulate(counts.begin(), counts.begin() + world.rank(), Index{0}));
      std::copy(mine.begin(), mine.end(), in_place.begin() + static_cast<std::ptrdiff_t>(before));
      world.all_gather_into(std::span(in_place).subspan(before, mine.size()), counts, in_place);
      expect_same_bits(in_place, all);
    }
  });
}

TEST(Exchange, RingAllPairsAndPartsToSelf) {
  for_all_limits([](const Communicator& world) {
    const int P = world.size();
    for (std::size_t length : kLengths) {
      const std::vector<double> mine = values(world.rank(), length);
      std::vector<double> from_left(length);
      const Outgoing<double> to_right{(world.rank() + 1) % P, mine};
      const Incoming<double> left{(world.rank() + P - 1) % P, from_left};
      world.exchange(std::span(&to_right, 1), std::span(&left, 1));
      expect_same_bits(from_left, values((world.rank() + P - 1) % P, length));

      // Everyone to everyone, itself included, with empty parts between some pairs.
      std::vector<std::vector<double>> sent, got;
      std::vector<Outgoing<double>> outgoing;
      std::vector<Incoming<double>> incoming;
      const auto length_of = [&](int from, int to) { return (from + to) % 2 == 0 ? length : 0; };
      for (int q = 0; q < P; ++q) {
        sent.push_back(values(world.rank() * P + q, length_of(world.rank(), q)));
        got.emplace_back(length_of(q, world.rank()));
      }
      for (int q = 0; q < P; ++q) {
        outgoing.push_back({q, sent[static_cast<std::size_t>(q)]});
        incoming.push_back({q, got[static_cast<std::size_t>(q)]});
      }
      world.exchange<double>(outgoing, incoming);
      for (int q = 0; q < P; ++q)
        expect_same_bits(got[static_cast<std::size_t>(q)], values(q * P + world.rank(), length_of(q, world.rank())));
    }
    world.exchange<double>({}, {});
  });
}

TEST(Exchange, BegunGoesOnWhileOtherCommunicatorsAreUsed) {
  on_all_ranks([](const Communicator& world) {
    const Communicator ring = world.split(0, 0);
    const int P = world.size(), next = (world.rank() + 1) % P, last = (world.rank() + P - 1) % P;
    for (Index length : {0, 5, 100'000}) {
      const std::vector<double> mine = values(world.rank(), length);
      std::vector<double> got(mine.size());
      const Outgoing<double> out{next, mine};
      const Incoming<double> in{last, got};
      PendingExchange exchange = ring.begin_exchange<double>(std::span(&out, 1), std::span(&in, 1));
      EXPECT_EQ(world.all_reduce_value(1, Reduction::sum), P);
      EXPECT_THROW(ring.barrier(), ContractViolation);
      exchange.advance();
      PendingExchange moved = std::move(exchange);
      moved.finish();
      expect_same_bits(got, values(last, length));
      EXPECT_EQ(ring.all_reduce_value(1, Reduction::sum), P);
    }
  });
}

TEST(Exchange, PartShorterThanExpectedIsAnErrorOnAllRanks) {
  const Communicator world(MPI_COMM_WORLD);
  TEMPERA_REQUIRE_RANKS(world, 2);
  std::string message;
  try {
    collectively(world, [&] {
      std::vector<double> data(4);
      const Outgoing<double> out{1, std::span(data).first(2)};
      const Incoming<double> in{0, data};
      if (world.rank() == 0) world.exchange<double>(std::span(&out, 1), {});
      if (world.rank() == 1) world.exchange<double>({}, std::span(&in, 1));
      if (world.rank() > 1) world.exchange<double>({}, {});
    });
  } catch (const Error& error) {
    message = error.message();
  }
  EXPECT_EQ(message,
            "tempera: error: exchange: rank 0 sent 16 bytes where 32 were expected\nhint: both sides must agree on the "
            "lengths; this is a defect of the calling program");
}

TEST(Split, GroupsRanksByColourAndOrdersThemByKey) {
  on_all_ranks([](const Communicator& world) {
    const Communicator backwards = world.split(0, -world.rank());
    EXPECT_EQ(backwards.rank(), world.size() - 1 - world.rank());
    const Communicator parity = world.split(world.rank() % 2, 0);
    EXPECT_EQ(parity.rank(), world.rank() / 2);
    EXPECT_EQ(parity.all_reduce_value(world.rank() % 2, Reduction::sum), (world.rank() % 2) * parity.size());
    EXPECT_EQ(&parity.regions(), &world.regions());
    const Communicator apart = world.split_independent(world.rank() % 2, 0);
    EXPECT_EQ(apart.size(), parity.size());
    EXPECT_NE(&apart.regions(), &world.regions());
    const Communicator root_left_out = world.split(world.is_root() ? -1 : 0, 0);
    EXPECT_EQ(root_left_out.size(), world.is_root() ? 0 : world.size() - 1);
    EXPECT_EQ(root_left_out.handle() == MPI_COMM_NULL, world.is_root());
  });
}

TEST(Communicator, CopiesShareTheGroupAndSelfIsAlone) {
  on_all_ranks([](const Communicator& world) {
    Communicator copy = world;
    EXPECT_EQ(copy.handle(), world.handle());
    const Communicator self = Communicator::self();
    EXPECT_EQ(self.size(), 1);
    EXPECT_EQ(self.rank(), 0);
    std::vector<double> data = values(3, 10);
    self.all_reduce(std::span<double>(data), Reduction::sum);
    expect_same_bits(data, values(3, 10));
    EXPECT_EQ(self.all_gather(std::span<const double>(data)).size(), 10u);
  });
}

TEST(Communicator, ManySplitsDoNotUseUpCommunicators) {
  on_all_ranks([](const Communicator& world) {
    for (int i = 0; i < 1000; ++i) {
      const Communicator part = world.split(world.rank() % 2, 0);
      ASSERT_GE(part.size(), 1);
    }
    EXPECT_LE(detail::Channel::of(world).domain.channels().size(), 3u);
  });
}

}  // namespace
}  // namespace tempera
