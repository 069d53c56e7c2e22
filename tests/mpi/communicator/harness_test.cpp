#include <gtest/gtest.h>

#include "tests/support/mpi.hpp"

// Tests that fail on purpose: the ctest entry mpi_harness runs them and looks at what is printed.

namespace tempera {
namespace {

TEST(Harness, DISABLED_FatalAssertionOnOneRankFreesTheOthers) {
  test::on_all_ranks([](const Communicator& world) {
    ASSERT_NE(world.rank(), 1) << "seen by one rank";
    world.barrier();
    world.barrier();
  });
}

TEST(Harness, DISABLED_PlainFailureOnOneRank) {
  test::on_all_ranks([](const Communicator& world) {
    EXPECT_NE(world.rank(), 2) << "seen by another rank";
    world.barrier();
  });
}

}  // namespace
}  // namespace tempera
