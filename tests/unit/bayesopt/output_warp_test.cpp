#include "core/bayesopt/output_warp.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace tempera {
namespace {

const std::vector<double> kValues{5, 3, 100, 4, 20};  // least 3, median 5

TEST(OutputWarp, StandardisesValuesOrTheirLogarithms) {
  for (const OutputWarp& warp : {OutputWarp(kValues), OutputWarp(kValues, 0.3)}) {
    const Eigen::VectorXd warped = warp.warped(kValues);
    EXPECT_NEAR(warped.mean(), 0, 1e-14);
    EXPECT_NEAR(warped.squaredNorm() / 5, 1, 1e-14);
    for (std::size_t i = 0; i < kValues.size(); ++i)
      for (std::size_t j = 0; j < kValues.size(); ++j)
        EXPECT_EQ(kValues[i] < kValues[j], warp(kValues[i]) < warp(kValues[j])) << "increasing";
  }
}

TEST(OutputWarp, TheLogarithmHasItsFloorBelowTheLeastValue) {
  const OutputWarp warp(kValues, 0.3);
  EXPECT_TRUE(warp.logarithmic());
  EXPECT_TRUE(warp.defined_at(2.41));
  EXPECT_FALSE(warp.defined_at(2.4));  // 3 − 0.3 (5 − 3)
  EXPECT_NEAR((warp(4) - warp(3)) / (warp(20) - warp(5)), std::log(1.6 / 0.6) / std::log(17.6 / 2.6), 1e-12);
}

TEST(OutputWarp, TheJacobianIsTheProductOfSlopes) {
  for (const OutputWarp& warp : {OutputWarp(kValues), OutputWarp(kValues, 0.03)}) {
    double sum = 0;
    for (const double y : kValues) sum += std::log((warp(y + 1e-5) - warp(y - 1e-5)) / 2e-5);
    EXPECT_NEAR(warp.log_jacobian(kValues), sum, 1e-6);
  }
}

TEST(OutputWarp, EqualValuesBecomeZero) {
  const std::vector<double> equal{7, 7, 7};
  EXPECT_EQ(OutputWarp(equal).warped(equal).cwiseAbs().maxCoeff(), 0);
  EXPECT_FALSE(OutputWarp::has_spread(equal));
}

}  // namespace
}  // namespace tempera
