#include "distributed/gaussian_process/sharded_hyper_posterior.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "core/base/random_stream.hpp"
#include "tests/support/mpi.hpp"

namespace tempera {
namespace {

using test::on_all_ranks;

constexpr Index kPoints = 75;

KernelPointer kernel() {
  return scaled(stationary_kernel(KernelShape::matern52, {0, 1}, {"a", "b"}));
}

struct Data {
  Data() : x(kPoints, 2) {
    RandomStream stream(11, "hyper-test");
    for (double& value : x.reshaped()) value = stream.uniform();
    y = (6 * x.col(0).array()).sin() + 0.1 * x.col(1).array();
    for (double& value : y) value += 0.05 * stream.normal();
  }
  Eigen::MatrixXd x;
  Eigen::VectorXd y;
};

std::vector<BlacsGrid> grids(const Communicator& world) {
  std::vector<BlacsGrid> all{BlacsGrid(world, {1, 1}), BlacsGrid(world)};
  if (world.size() > 2) all.emplace_back(world, GridShape{2, 1});
  return all;
}

TEST(ShardedHyperPosterior, DensityAndGradientEqualTheSerialOnes) {
  on_all_ranks([](const Communicator& world) {
    const Data data;
    for (const bool fixed : {false, true}) {
      GpPriors priors;
      if (fixed) priors.fixed_noise = 0.1;
      HyperPosterior serial(kernel(), priors, data.x, data.y);
      for (const BlacsGrid& grid : grids(world)) {
        ShardedHyperPosterior sharded(grid, kernel(), priors, data.x, data.y, 16);
        const auto size = static_cast<std::size_t>(serial.dimension());
        ASSERT_EQ(sharded.dimension(), serial.dimension());
        for (Index trial = 0; trial < 5; ++trial) {
          RandomStream stream(12, "hyper-point", {trial});
          std::vector<double> u(size), reference(size), gradient(size), expected_reference(size), expected(size);
          for (double& value : u) value = stream.normal();
          const LogDensity ours = sharded.evaluate(u, reference, gradient);
          const LogDensity theirs = serial.evaluate(u, expected_reference, expected);
          EXPECT_EQ(ours.reference, theirs.reference);
          EXPECT_EQ(reference, expected_reference);
          EXPECT_NEAR(ours.likelihood, theirs.likelihood, 1e-9 * (1 + std::abs(theirs.likelihood)));
          EXPECT_EQ(sharded.evaluate(u).likelihood, ours.likelihood);
          double norm = 1;
          for (const double slope : expected) norm = std::max(norm, std::abs(slope));
          for (std::size_t i = 0; i < size; ++i) EXPECT_NEAR(gradient[i], expected[i], 1e-9 * norm);
        }
      }
    }
  });
}

TEST(ShardedHyperPosterior, WhereTheMatrixIsIndefiniteTheLikelihoodIsZeroOnAllRanks) {
  on_all_ranks([](const Communicator& world) {
    Data data;
    data.y[3] = std::numeric_limits<double>::quiet_NaN();
    data.x(3, 0) = std::numeric_limits<double>::quiet_NaN();
    ShardedHyperPosterior sharded(BlacsGrid(world), kernel(), {}, data.x, data.y, 16);
    std::vector<double> u(4, 0.0), reference(4), gradient(4, 7.0);
    EXPECT_EQ(sharded.evaluate(u, reference, gradient).likelihood, -std::numeric_limits<double>::infinity());
    EXPECT_EQ(gradient, std::vector<double>(4, 0.0));
  });
}

TEST(ShardedHyperPosterior, AFitTakesTheSameStepsOnAllRanksAndFindsTheSerialMode) {
  on_all_ranks([](const Communicator& world) {
    const Data data;
    HyperPosterior serial(kernel(), {}, data.x, data.y);
    HyperFitOptions options;
    options.method = HyperMethod::map;
    options.starts = 2;
    const HyperFit expected = fit_hyperparameters(serial, options, 3);
    options.method = HyperMethod::bayes;
    options.draws = 2;
    options.chains = 1;
    options.warm_up = 6;
    for (const BlacsGrid& grid : grids(world)) {
      ShardedHyperPosterior sharded(grid, kernel(), {}, data.x, data.y, 32);
      const HyperFit fit = fit_hyperparameters(sharded, options, 3);
      EXPECT_NEAR(fit.log_density, expected.log_density, 2e-3);  // a search ends when 1e-3 are to be gained
      ASSERT_EQ(std::ssize(fit.draws), 2);
      for (const std::vector<double>& draw : fit.draws) {
        std::vector<double> first = draw;
        world.broadcast(std::span<double>(first), 0);
        EXPECT_EQ(first, draw);
      }
    }
  });
}

}  // namespace
}  // namespace tempera
