#include "distributed/gaussian_process/sharded_gp.hpp"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>
#include <cstring>

#include "core/base/random_stream.hpp"
#include "core/linalg/cholesky.hpp"
#include "tests/support/mpi.hpp"

namespace tempera {
namespace {

using test::on_all_ranks;

constexpr double kTolerance = 1e-9;

Eigen::MatrixXd random_points(Index rows, Index features, Index which) {
  RandomStream stream(7, "sharded-gp-test", {which});
  return Eigen::MatrixXd::NullaryExpr(rows, features, [&] { return stream.uniform(); });
}

Eigen::VectorXd wave(const Eigen::MatrixXd& x) {
  return (5 * x.col(0).array()).sin() + x.col(1).array().square() - 0.3 * x.col(2).array();
}

GpModel matern(double noise, double constant) {
  GpModel model{scaled(stationary_kernel(KernelShape::matern52, {0, 1, 2}, {"a", "b", "c"})), Eigen::VectorXd(4), noise,
                constant};
  model.theta << std::log(1.3), std::log(0.3), std::log(0.6), std::log(2.0);
  return model;
}

/// A sum of a product and a rational quadratic.
GpModel composite(double noise, double constant) {
  const KernelPointer product = product_of({stationary_kernel(KernelShape::matern32, {0, -1, -1}, {"a"}),
                                            stationary_kernel(KernelShape::rbf, {-1, 0, -1}, {"b"})});
  const KernelPointer broad = scaled(stationary_kernel(KernelShape::rational_quadratic, {0, 0, 0}, {"all"}));
  GpModel model{sum_of({product, broad}), Eigen::VectorXd(5), noise, constant};
  model.theta << std::log(0.4), std::log(0.7), std::log(0.8), std::log(1.1), std::log(1.5);
  return model;
}

double relative_error(const Eigen::VectorXd& a, const Eigen::VectorXd& b) {
  if (a.size() != b.size()) return INFINITY;
  return a.size() == 0 ? 0 : (a - b).norm() / std::max(b.norm(), 1e-300);
}

/// Derivatives of the serial process, by W = ½ (α αᵀ − K⁻¹).
EvidenceGradient serial_gradient(const GpModel& model, const Eigen::MatrixXd& x, const Eigen::VectorXd& y,
                                 double jitter) {
  Eigen::MatrixXd w(x.rows(), x.rows());
  covariance(*model.kernel, model.theta, x, w);
  w.array() += model.constant;
  w.diagonal().array() += model.noise + jitter;
  EXPECT_LT(cholesky(w), 0);
  Eigen::MatrixXd alpha = y;
  solve_lower(w, alpha);
  solve_lower_transposed(w, alpha);
  invert_cholesky(w);
  w = (alpha * alpha.transpose() - Eigen::MatrixXd(w.selfadjointView<Eigen::Lower>())) / 2;
  EvidenceGradient gradient{Eigen::VectorXd::Zero(model.theta.size()), w.trace(), w.sum()};
  add_covariance_gradient(*model.kernel, model.theta, x, w, gradient.theta);
  return gradient;
}

/// Calls body(grid, block) for grids of the communicator, some of which leave ranks out, and blocks.
template <class Body>
void for_each_layout(const Communicator& world, Body&& body) {
  for (const GridShape shape : {GridShape{1, 1}, {1, 2}, {2, 1}, {1, 3}, {2, 2}}) {
    if (shape.rows * shape.columns > world.size()) continue;
    const BlacsGrid grid(world, shape);
    for (const Index block : {7, 64}) {
      SCOPED_TRACE("grid " + std::to_string(shape.rows) + " x " + std::to_string(shape.columns) + ", block " +
                   std::to_string(block));
      body(grid, block);
    }
  }
}

bool same_everywhere(const Communicator& world, double value) {
  const double first = world.broadcast_value(value, 0);
  return world.all_reduce_value(std::memcmp(&first, &value, sizeof(value)) == 0 ? 0 : 1, Reduction::maximum) == 0;
}

TEST(ShardedGp, EqualsTheSerialProcess) {
  on_all_ranks([](const Communicator& world) {
    for_each_layout(world, [&](const BlacsGrid& grid, Index block) {
      for (const Index n : {1, 40, 150})
        for (const GpModel& model : {matern(1e-2, 0.5), matern(1e-3, 0), composite(1e-2, 0.2)}) {
          const Eigen::MatrixXd x = random_points(n, 3, n), at = random_points(70, 3, 1000);
          const Eigen::VectorXd y = wave(x);
          const ExactGp serial(model, x, y);
          const ShardedGp sharded(grid, model, x, y, block);
          EXPECT_EQ(sharded.jitter(), serial.jitter());
          EXPECT_NEAR(sharded.log_evidence(), serial.log_evidence(),
                      kTolerance * (1 + std::abs(serial.log_evidence())));
          EXPECT_TRUE(same_everywhere(world, sharded.log_evidence()));
          EXPECT_LT(relative_error(sharded.fitted(), serial.fitted()), kTolerance);

          Eigen::VectorXd mean, variance, serial_mean, serial_variance;
          sharded.predict(at, mean, variance);
          serial.predict(at, serial_mean, serial_variance);
          EXPECT_LT(relative_error(mean, serial_mean), kTolerance);
          EXPECT_LT(relative_error(variance, serial_variance), kTolerance);
          EXPECT_TRUE(same_everywhere(world, mean[0]) && same_everywhere(world, variance[0]));
          sharded.leave_one_out(mean, variance);
          serial.leave_one_out(serial_mean, serial_variance);
          EXPECT_LT(relative_error(mean, serial_mean), kTolerance);
          EXPECT_LT(relative_error(variance, serial_variance), kTolerance);

          const EvidenceGradient gradient = sharded.evidence_gradient();
          const EvidenceGradient expected = serial_gradient(model, x, y, serial.jitter());
          EXPECT_LT(relative_error(gradient.theta, expected.theta), kTolerance);
          EXPECT_NEAR(gradient.noise, expected.noise, kTolerance * (1 + std::abs(expected.noise)));
          EXPECT_NEAR(gradient.constant, expected.constant, kTolerance * (1 + std::abs(expected.constant)));
          EXPECT_TRUE(same_everywhere(world, gradient.theta.sum()) && same_everywhere(world, gradient.noise));
        }
    });
  });
}

TEST(ShardedGp, GradientIsThatOfDifferences) {
  on_all_ranks([](const Communicator& world) {
    const BlacsGrid grid(world);
    const Eigen::MatrixXd x = random_points(90, 3, 1);
    const Eigen::VectorXd y = wave(x);
    for (const GpModel& model : {matern(2e-2, 0.5), composite(2e-2, 0.5)}) {
      ShardedGp gp(grid, model, x, y, 16);
      const EvidenceGradient gradient = gp.evidence_gradient();
      constexpr double kStep = 1e-4;
      const auto slope = [&](const auto& move) {
        double evidence[2];
        for (const int side : {0, 1}) {
          GpModel moved = model;
          move(moved, side == 0 ? -kStep : kStep);
          gp.set_model(moved);
          evidence[side] = gp.log_evidence();
        }
        return (evidence[1] - evidence[0]) / (2 * kStep);
      };
      const double tolerance = 1e-5 * gradient.theta.norm();
      for (Index t = 0; t < model.theta.size(); ++t)
        EXPECT_NEAR(slope([t](GpModel& moved, double step) { moved.theta[t] += step; }), gradient.theta[t], tolerance);
      const double log_noise = slope([](GpModel& moved, double step) { moved.noise *= std::exp(step); });
      EXPECT_NEAR(log_noise, gradient.noise * model.noise, tolerance);
      EXPECT_NEAR(slope([](GpModel& moved, double step) { moved.constant += step; }), gradient.constant, tolerance);
    }
  });
}

TEST(ShardedGp, GradientsAddBlocksInTheirOrderWhicheverRankHasThem) {
  on_all_ranks([](const Communicator& world) {
    const GpModel model = matern(1e-2, 0.5);
    const Eigen::MatrixXd x = random_points(150, 3, 2);
    const Eigen::VectorXd weights = wave(x);
    const auto entry = [](Index i, Index j) { return 1.0 / static_cast<double>(1 + i + 2 * j); };
    Eigen::VectorXd first;
    for (const GridShape shape : {GridShape{1, 1}, {1, 2}, {2, 1}, {1, 3}, {2, 2}}) {
      if (shape.rows * shape.columns > world.size()) continue;
      BlockCyclicMatrix inverse(BlacsGrid(world, shape), 150, 150, 16);
      inverse.fill(entry);
      const EvidenceGradient gradient = contract_gradient(model, x, weights, inverse);
      Eigen::VectorXd all(6);
      all << gradient.theta, gradient.noise, gradient.constant;
      if (first.size() == 0) first = all;
      EXPECT_EQ(all, first) << shape.rows << " x " << shape.columns;
    }
  });
}

TEST(ShardedGp, AppendedRowsAndOtherValuesEqualANewProcess) {
  on_all_ranks([](const Communicator& world) {
    for_each_layout(world, [&](const BlacsGrid& grid, Index block) {
      const Eigen::MatrixXd x = random_points(111, 3, 3), at = random_points(9, 3, 4);
      const Eigen::VectorXd y = wave(x);
      const GpModel model = matern(1e-3, 0.4);
      ShardedGp grown(grid, model, x.topRows(60), y.head(60), block);
      grown.append(x.middleRows(60, 1), y.segment(60, 1));
      grown.append(x.bottomRows(50), Eigen::VectorXd::Zero(50));
      grown.set_values(y);
      const ExactGp whole(model, x, y);
      EXPECT_EQ(grown.size(), 111);
      EXPECT_NEAR(grown.log_evidence(), whole.log_evidence(), kTolerance * std::abs(whole.log_evidence()));
      Eigen::VectorXd mean, variance, whole_mean, whole_variance;
      grown.predict(at, mean, variance);
      whole.predict(at, whole_mean, whole_variance);
      EXPECT_LT(relative_error(mean, whole_mean), kTolerance);
      EXPECT_LT(relative_error(variance, whole_variance), kTolerance);
    });
  });
}

TEST(ShardedGp, JitterGrowsAsInTheSerialProcessAndTheRefusalIsTheSame) {
  on_all_ranks([](const Communicator& world) {
    const BlacsGrid grid(world);
    Eigen::MatrixXd x = random_points(80, 3, 5);
    x.row(41) = x.row(7);
    const Eigen::VectorXd y = wave(x);
    // A noise below zero stands for rounding that jitter has to make good: 1e-10, …, 1e-4 of the prior variance.
    for (const double noise : {0.0, -1e-7, -1e-5}) {
      const GpModel model = matern(noise, 0.5);
      EXPECT_EQ(ShardedGp(grid, model, x, y, 16).jitter(), ExactGp(model, x, y).jitter()) << noise;
    }
    const auto refusal = [&](const auto& make) {
      try {
        make();
      } catch (const Error& error) {
        return error.message();
      }
      return std::string("none");
    };
    const GpModel hopeless = matern(-1, 0);
    const std::string serial = refusal([&] { ExactGp(hopeless, x, y); });
    EXPECT_NE(serial.find("points 7 and 41, at distance 0"), std::string::npos) << serial;
    EXPECT_EQ(refusal([&] { ShardedGp(grid, hopeless, x, y, 16); }), serial);
  });
}

TEST(ShardedGp, GridsDependOnPointsAndModelRanksAlone) {
  on_all_ranks([](const Communicator& world) {
    EXPECT_EQ(shard_grid(world, kShardedFrom - 1, world.size()).shape(), (GridShape{1, 1}));
    for (int ranks = 1; ranks <= world.size(); ++ranks)
      EXPECT_EQ(shard_grid(world, kShardedFrom, ranks).shape(), near_square_grid(ranks));
    EXPECT_THROW(shard_grid(world, 10000, world.size() + 1), Error);
    EXPECT_THROW(shard_grid(world, 10000, 0), Error);
  });
}

}  // namespace
}  // namespace tempera
