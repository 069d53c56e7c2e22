#pragma once

#include <gtest/gtest.h>
#include <mpi.h>

#include "core/base/error.hpp"
#include "distributed/communicator/collectively.hpp"
#include "distributed/communicator/communicator.hpp"

namespace tempera::test {

/// Runs body(world) on all ranks of a test under mpirun. A fatal assertion or an exception on one rank ends the body
/// on all of them, so that nobody waits for a rank that has left.
template <class Body>
void on_all_ranks(Body&& body) {
  const Communicator world(MPI_COMM_WORLD);
  try {
    collectively(world, [&] { body(world); });
  } catch (const Error& error) {
    if (!testing::Test::HasFailure()) ADD_FAILURE() << error.message();
  }
}

}  // namespace tempera::test

/// Ends the running test as skipped on fewer ranks than it is about; the suite runs on 1, 2, 3 and 4.
#define TEMPERA_REQUIRE_RANKS(world, least) \
  if ((world).size() < (least)) GTEST_SKIP() << "needs " << (least) << " ranks"
