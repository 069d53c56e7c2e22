#include "distributed/communicator/stop_request.hpp"

#include <gtest/gtest.h>

#include <csignal>

#include "core/base/contract.hpp"
#include "tests/support/mpi.hpp"

namespace tempera {
namespace {

TEST(StopRequest, ASignalOnOneRankIsNoticedByAllAtTheSameStep) {
  test::on_all_ranks([](const Communicator& world) {
    for (int culprit = 0; culprit < world.size(); ++culprit) {
      const StopRequest stop;
      int step = 0;
      while (!stop.requested(world)) {
        if (++step == 5 && world.rank() == culprit) std::raise(SIGUSR1);
        ASSERT_LT(step, 100);
      }
      EXPECT_EQ(step, 5);
      EXPECT_EQ(stop.local(), world.rank() == culprit);
      world.barrier();
    }
  });
}

TEST(StopRequest, CanBeMergedWithAReduction) {
  test::on_all_ranks([](const Communicator& world) {
    const StopRequest stop;
    if (world.is_root()) std::raise(SIGUSR1);
    EXPECT_EQ(world.all_reduce_value(stop.local() ? 1 : 0, Reduction::logical_or), 1);
  });
}

int previous_handler_calls = 0;
void previous_handler(int) {
  ++previous_handler_calls;
}

TEST(StopRequest, RestoresTheHandlersThatWereThere) {
  struct sigaction mine = {};
  struct sigaction before = {};
  mine.sa_handler = previous_handler;
  sigaction(SIGUSR1, &mine, &before);
  {
    const StopRequest stop;
    std::raise(SIGUSR1);
    EXPECT_EQ(previous_handler_calls, 0);
    EXPECT_TRUE(stop.local());
  }
  std::raise(SIGUSR1);
  EXPECT_EQ(previous_handler_calls, 1);
  sigaction(SIGUSR1, &before, nullptr);
  const StopRequest fresh;
  EXPECT_FALSE(fresh.local()) << "a signal of an earlier listener";
}

TEST(StopRequest, TermAndInterruptAreHeardByASingleProcessOnly) {
  struct sigaction before = {};
  sigaction(SIGTERM, nullptr, &before);
  const StopRequest stop;
  struct sigaction now = {};
  for (int signal : {SIGTERM, SIGINT}) {
    sigaction(signal, nullptr, &now);
    int world_size = 0;
    MPI_Comm_size(MPI_COMM_WORLD, &world_size);
    if (world_size == 1) {
      std::raise(signal);
      EXPECT_TRUE(stop.local());
    } else if (signal == SIGTERM) {
      EXPECT_EQ(now.sa_handler, before.sa_handler);
    }
  }
}

TEST(StopRequest, ASecondListenerIsRefused) {
  const StopRequest stop;
  EXPECT_THROW(StopRequest(), ContractViolation);
}

}  // namespace
}  // namespace tempera
