#include "distributed/communicator/environment.hpp"

#include <gtest/gtest.h>

#include "tests/support/mpi.hpp"

namespace tempera {
namespace {

TEST(MpiEnvironment, LeavesAnMpiThatTheCallerStartedAlone) {
  {
    const MpiEnvironment environment;
    EXPECT_FALSE(environment.owns());
  }
  int finalized = 1;
  MPI_Finalized(&finalized);
  EXPECT_EQ(finalized, 0);
  test::on_all_ranks([](const Communicator& world) { world.barrier(); });
}

}  // namespace
}  // namespace tempera
