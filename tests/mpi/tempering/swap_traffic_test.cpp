#include <gtest/gtest.h>

#include "core/sampling/explorers/slice_explorer.hpp"
#include "core/sampling/targets/targets.hpp"
#include "distributed/tempering/tempering.hpp"
#include "tests/mpi/mpi_calls.hpp"
#include "tests/support/mpi.hpp"

namespace tempera {
namespace {

constexpr Index kReplicas = 6;
constexpr int kDimension = 50;  // a state is 400 bytes

/// Of all ranks.
test::MpiCalls calls_of_a_run(const Communicator& world, int rounds) {
  TemperingOptions options;
  options.chains = kReplicas;
  options.rounds = rounds;
  const std::string settings[] = {"dim=" + std::to_string(kDimension)};
  const auto target = make_target("gaussian", settings);
  const test::MpiCalls before = test::mpi_calls();
  sample_by_tempering(world, *target, SliceExplorer(), options);
  const test::MpiCalls after = test::mpi_calls();
  return {world.all_reduce_value(after.sends - before.sends, Reduction::sum),
          world.all_reduce_value(after.large_sends - before.large_sends, Reduction::sum),
          world.all_reduce_value(after.collectives - before.collectives, Reduction::sum)};
}

/// Round k has 2^k scans. What two successive rounds have in common are their ends, which become no longer; what the second
/// has more of comes from its scans, of which it has 512 more.
TEST(SwapTraffic, IsOneExchangeOf24BytesAReplicaAndScanWithoutStatesAndWithoutCollectives) {
  test::on_all_ranks([](const Communicator& world) {
    const test::MpiCalls eight = calls_of_a_run(world, 8), nine = calls_of_a_run(world, 9),
                         ten = calls_of_a_run(world, 10);
    const Index more_scans = (1 << 10) - (1 << 9);
    const auto growth = [&](Index test::MpiCalls::*count) {
      return (ten.*count - nine.*count) - (nine.*count - eight.*count);
    };
    EXPECT_LE(growth(&test::MpiCalls::collectives), 0);
    EXPECT_LE(growth(&test::MpiCalls::large_sends), 0);
    EXPECT_LE(growth(&test::MpiCalls::sends), 2 * kReplicas * more_scans) << "an offer and its answer";
    EXPECT_EQ(growth(&test::MpiCalls::sends) > 0, world.size() > 1) << "sends are counted";
    EXPECT_GT(ten.collectives, 0) << "collectives are counted";
  });
}

}  // namespace
}  // namespace tempera
