#include "distributed/communicator/detail/watchdog.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <numeric>

#include "distributed/communicator/detail/channel.hpp"
#include "distributed/communicator/objects.hpp"
#include "tests/support/mpi.hpp"

namespace tempera {
namespace {

detail::Watchdog& watchdog_of(const Communicator& communicator) {
  return detail::Channel::of(communicator).domain.watchdog();
}

/// Reports after a tenth of a second; judges when so many ranks wait, however long a crowded machine takes.
void set_short(const Communicator& world, int waiting_ranks) {
  watchdog_of(world).limit_seconds = 0.1;
  watchdog_of(world).may_judge = [waiting_ranks](double, const detail::WaitReports& reports) {
    return std::ranges::count_if(reports, [](const auto& entry) { return entry.second.waiting; }) == waiting_ranks;
  };
}

std::string ranks(int first, int last) {
  std::vector<int> list(static_cast<std::size_t>(last - first + 1));
  std::iota(list.begin(), list.end(), first);
  return detail::rank_list(list);
}

TEST(Watchdog, NamesTheRanksThatWaitAndTheOneThatHasNotArrived) {
  MPI_Comm aside = MPI_COMM_NULL;
  MPI_Comm_dup(MPI_COMM_WORLD, &aside);
  test::on_all_ranks([&](const Communicator& world) {
    TEMPERA_REQUIRE_RANKS(world, 2);
    const int last = world.size() - 1;
    set_short(world, last);
    std::vector<std::string> lines;
    watchdog_of(world).print = [&](const std::string& line) {
      lines.push_back(line);
      MPI_Send(nullptr, 0, MPI_BYTE, last, 0, aside);
    };
    const auto sweep = world.regions().open("sweep");
    const auto gram = world.regions().open("gram");
    // The last rank "computes" until the message is out.
    if (world.rank() == last) MPI_Recv(nullptr, 0, MPI_BYTE, 0, 0, aside, MPI_STATUS_IGNORE);
    EXPECT_EQ(world.all_reduce_value(1, Reduction::sum), world.size());
    const std::string expected = "tempera: still waiting after 0.1 s: " + ranks(0, last - 1) +
                                 " in all_reduce (region sweep/gram); rank " + std::to_string(last) +
                                 " has not arrived";
    EXPECT_EQ(lines, world.is_root() ? std::vector<std::string>{expected} : std::vector<std::string>{});
  });
  MPI_Comm_free(&aside);
}

std::string message_from(const Communicator& communicator, const std::function<void()>& body) {
  try {
    collectively(communicator, body);
  } catch (const Error& error) {
    EXPECT_EQ(error.category(), Category::environment);
    return error.what();
  }
  return "no error";
}

TEST(Watchdog, OperationsOnDifferentCommunicatorsThatNeverMatchAreADeadlock) {
  const Communicator world(MPI_COMM_WORLD);
  TEMPERA_REQUIRE_RANKS(world, 2);
  const Communicator other = world.split(0, 0);
  set_short(world, world.size());
  watchdog_of(world).print = [](const std::string& line) { ADD_FAILURE() << line; };
  const std::string message = message_from(world, [&] {
    if (world.is_root()) {
      world.barrier();
    } else {
      const auto region = world.regions().open("swap");
      other.all_reduce_value(1.0, Reduction::sum);
    }
  });
  EXPECT_EQ(message, "deadlock: these ranks wait for each other for ever: rank 0 in barrier; " +
                         ranks(1, world.size() - 1) + " in all_reduce (region swap)");
  EXPECT_EQ(other.all_reduce_value(1, Reduction::sum), world.size());
  EXPECT_EQ(world.all_reduce_value(1, Reduction::sum), world.size());
}

TEST(Watchdog, ObjectsThatNobodySendsAreADeadlock) {
  const Communicator world(MPI_COMM_WORLD);
  TEMPERA_REQUIRE_RANKS(world, 2);
  set_short(world, world.size());
  const std::string message = message_from(world, [&] {
    if (world.rank() == 0) world.receive_object<int>(1, 3);
    if (world.rank() == 1) {
      world.send_object(5, 0, 4);  // another tag
      world.receive_object<int>(0, 3);
    }
    world.barrier();
  });
  EXPECT_EQ(message, "deadlock: these ranks wait for each other for ever: ranks 0-1 in receive_object" +
                         (world.size() > 2 ? "; " + ranks(2, world.size() - 1) + " in barrier" : std::string()));
  EXPECT_EQ(world.all_reduce_value(1, Reduction::sum), world.size());
}

TEST(Watchdog, SlowRanksAreNeverTakenForADeadlock) {
  const Communicator world(MPI_COMM_WORLD);
  const Communicator half = world.split(world.rank() % 2, 0);
  watchdog_of(world).limit_seconds = 1e-6;  // every wait that is not over at once is reported and judged
  watchdog_of(world).may_judge = [](double, const detail::WaitReports&) { return true; };
  watchdog_of(world).print = [](const std::string&) {};
  double burnt = 0;
  const auto compute = [&](int amount) {
    for (int i = 0; i < amount; ++i) burnt += 1.0 / (1.0 + i + burnt);
  };
  for (int i = 0; i < 300; ++i) {
    const std::string message = message_from(world, [&] {
      compute(((world.rank() * 7919 + i * 104729) % 97) * 200);
      half.all_reduce_value(1.0, Reduction::sum);
      compute(((world.rank() * 31 + i * 37) % 11) * 1000);
      world.barrier();
      const int peer = world.rank() ^ 1;
      if (peer < world.size()) {
        if (world.rank() < peer)
          world.send_object(i, peer, 1);
        else
          EXPECT_EQ(world.receive_object<int>(peer, 1), i);
      }
      if (i % 10 == 0 && world.rank() == i / 10 % world.size()) throw Error(Category::environment, "planned", "stop");
      half.barrier();
    });
    ASSERT_EQ(message, i % 10 == 0 ? "planned: stop" : "no error");
  }
  EXPECT_GT(burnt, 0);
  watchdog_of(world).limit_seconds = 0;
  world.barrier();
}

TEST(Watchdog, LimitComesFromTheEnvironment) {
  const char* before = std::getenv("TEMPERA_WATCHDOG");
  const std::string kept = before != nullptr ? before : "";
  unsetenv("TEMPERA_WATCHDOG");
  EXPECT_EQ(watchdog_of(Communicator::self()).limit_seconds, 300);
  setenv("TEMPERA_WATCHDOG", "2.5", 1);
  EXPECT_EQ(watchdog_of(Communicator::self()).limit_seconds, 2.5);
  for (const char* wrong : {"soon", "-1", "5s", "nan"}) {
    setenv("TEMPERA_WATCHDOG", wrong, 1);
    try {
      const Communicator self = Communicator::self();
      ADD_FAILURE() << wrong << " accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.category(), Category::usage);
      EXPECT_EQ(error.message(), std::string("tempera: error: TEMPERA_WATCHDOG: '") + wrong +
                                     "' is not a number of seconds\nhint: give seconds, for example "
                                     "TEMPERA_WATCHDOG=600, or 0 to switch the watchdog off");
    }
  }
  if (before != nullptr)
    setenv("TEMPERA_WATCHDOG", kept.c_str(), 1);
  else
    unsetenv("TEMPERA_WATCHDOG");
}

// Reports by hand: rank 0 waits on channel 1, where rank 1 is behind.
detail::WaitReport waiting(std::uint64_t channel, std::uint64_t needed, std::vector<int> members,
                           std::vector<detail::ChannelState> states) {
  detail::WaitReport report;
  report.waiting = true;
  report.waits_for = std::move(members);
  report.channel = channel;
  report.needed = needed;
  report.channels = std::move(states);
  return report;
}

TEST(WaitReports, OnlyAClosedSetOfRanksIsADeadlock) {
  detail::WaitReports reports;
  reports[0] = waiting(1, 5, {0, 1}, {{1, 5}, {2, 3}});
  EXPECT_TRUE(ranks_that_wait_for_ever(reports).empty()) << "rank 1 may be computing";
  reports[1] = waiting(2, 4, {1, 2}, {{1, 4}, {2, 4}});
  EXPECT_TRUE(ranks_that_wait_for_ever(reports).empty()) << "rank 2 may come";
  reports[2] = waiting(3, 1, {0, 2}, {{2, 3}, {3, 1}});
  EXPECT_EQ(ranks_that_wait_for_ever(reports), (std::vector<int>{0, 1, 2})) << "a ring";
  reports[2].channels[0].entered = 4;
  EXPECT_TRUE(ranks_that_wait_for_ever(reports).empty()) << "rank 2 has entered what rank 1 waits for";
}

TEST(WaitReports, RanksAreListedAsRanges) {
  EXPECT_EQ(detail::rank_list(std::vector<int>{3}), "rank 3");
  EXPECT_EQ(detail::rank_list(std::vector<int>{0, 1, 2, 5, 7, 8}), "ranks 0-2, 5, 7-8");
}

}  // namespace
}  // namespace tempera
