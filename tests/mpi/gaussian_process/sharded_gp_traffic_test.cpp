#include "distributed/gaussian_process/sharded_gp_traffic.hpp"

#include <gtest/gtest.h>

#include "core/base/random_stream.hpp"
#include "distributed/gaussian_process/sharded_gp_maker.hpp"
#include "distributed/gaussian_process/sharded_hyper_posterior.hpp"
#include "tests/mpi/mpi_calls.hpp"
#include "tests/support/mpi.hpp"

namespace tempera {
namespace {

KernelPointer kernel() {
  return scaled(stationary_kernel(KernelShape::matern52, {0, 1}, {"a", "b"}));
}

struct Data {
  explicit Data(Index points) : x(points, 2), y(points) {
    RandomStream stream(5, "traffic-test");
    for (double& value : x.reshaped()) value = stream.uniform();
    for (double& value : y) value = stream.normal();
  }
  Eigen::MatrixXd x;
  Eigen::VectorXd y;
};

/// In all regions, by all ranks.
Traffic counted(const Communicator& world) {
  Traffic traffic;
  for (const RegionTable::Row& row : world.regions().rows()) traffic += {row.messages, row.bytes};
  return {world.all_reduce_value(traffic.messages, Reduction::sum),
          world.all_reduce_value(traffic.bytes, Reduction::sum)};
}

TEST(ShardedGpTraffic, IsWhatTheCommunicatorCounts) {
  test::on_all_ranks([](const Communicator& world) {
    constexpr Index kBlock = 8;
    for (const Index points : {21, 75, 200}) {
      const Data data(points);
      {
        const Communicator own(world.handle());
        const BlacsGrid grid(own);
        ShardedHyperPosterior posterior(grid, kernel(), GpPriors(), data.x, data.y, kBlock);
        std::vector<double> u(static_cast<std::size_t>(posterior.dimension()), 0.0), reference(u), gradient(u);
        {
          const auto region = own.regions().open("evidence");
          posterior.evaluate(u, reference, gradient);
        }
        EXPECT_EQ(counted(own),
                  shared_evidence_traffic(points, std::ssize(kernel()->parameters()), world.size(), kBlock))
            << points;
      }
      const Communicator own(world.handle());
      const ShardedGpMaker maker(own, {.shared_from = 2, .spread_from = 1000, .block = kBlock});
      const auto posterior = maker.posterior(kernel(), GpPriors(), data.x, data.y);
      const std::vector<double> u(static_cast<std::size_t>(posterior->dimension()), 0.0);
      {
        const auto region = own.regions().open("process");
        maker.process(posterior->model(u), data.x, data.y);
      }
      if (world.size() > 1) {
        EXPECT_EQ(counted(own), shared_process_traffic(points, world.size(), kBlock)) << points;
      }
    }
  });
}

TEST(ShardedGpTraffic, OfScalapackIsAboutWhatMpiSees) {
  test::on_all_ranks([](const Communicator& world) {
    const Data data(kShardedFrom);
    const BlacsGrid grid(world);
    ShardedHyperPosterior posterior(grid, kernel(), GpPriors(), data.x, data.y, kShardBlock);
    std::vector<double> u(static_cast<std::size_t>(posterior.dimension()), 0.0), reference(u), gradient(u);
    const Index before = test::mpi_calls().bytes;
    posterior.evaluate(u, reference, gradient);
    const Index mine = test::mpi_calls().bytes - before;
    const auto sent = static_cast<double>(world.all_reduce_value(mine, Reduction::sum));
    const double expected = scalapack_evidence_bytes(kShardedFrom, world.size());
    EXPECT_NEAR(sent, expected, 0.15 * expected) << "what the communicator sends is less than a hundredth";
  });
}

}  // namespace
}  // namespace tempera
