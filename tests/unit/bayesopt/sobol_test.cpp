#include "core/bayesopt/sobol.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <set>

#include "core/base/error.hpp"

namespace tempera {
namespace {

TEST(ScrambledSobol, EveryDyadicIntervalHasOnePointOfEachAlignedBlock) {
  const ScrambledSobol sobol(40, 3, "test");
  for (const Index count : {1, 2, 16, 256})
    for (const Index block : {0, 1, 5}) {
      const Eigen::MatrixXd points = sobol.points(block * count, count);
      for (Index j = 0; j < sobol.dimensions(); ++j) {
        std::set<Index> cells;
        for (Index i = 0; i < count; ++i) cells.insert(static_cast<Index>(points(j, i) * static_cast<double>(count)));
        EXPECT_EQ(std::ssize(cells), count) << "coordinate " << j << " of block " << block;
      }
    }
}

TEST(ScrambledSobol, TwoCoordinatesAreANet) {
  // The first two coordinates are a (0, 2)-sequence: each of the 256 elementary rectangles of any shape has one point.
  const Eigen::MatrixXd points = ScrambledSobol(2, 7, "test").points(0, 256);
  for (int k = 0; k <= 8; ++k) {
    std::set<std::pair<int, int>> cells;
    for (Index i = 0; i < 256; ++i)
      cells.insert({static_cast<int>(std::ldexp(points(0, i), k)), static_cast<int>(std::ldexp(points(1, i), 8 - k))});
    EXPECT_EQ(std::ssize(cells), 256) << "2^" << k << " columns";
  }
}

TEST(ScrambledSobol, PointsDoNotDependOnHowTheyAreAskedFor) {
  const ScrambledSobol sobol(7, 11, "test", 4);
  const Eigen::MatrixXd whole = sobol.points(0, 200);
  for (const Index first : {0, 1, 2, 63, 64, 65, 199})
    for (const Index count : {Index{0}, Index{1}, std::min(Index{37}, 200 - first)})
      EXPECT_EQ(sobol.points(first, count), whole.middleCols(first, count)) << first << " + " << count;
  EXPECT_EQ(ScrambledSobol(7, 11, "test", 4).points(0, 200), whole);
  EXPECT_EQ(ScrambledSobol(3, 11, "test", 4).points(0, 200), whole.topRows(3)) << "further coordinates change nothing";
}

TEST(ScrambledSobol, OtherKeysGiveOtherPoints) {
  const Eigen::MatrixXd points = ScrambledSobol(3, 1, "test", 0).points(0, 8);
  EXPECT_NE(ScrambledSobol(3, 2, "test", 0).points(0, 8), points);
  EXPECT_NE(ScrambledSobol(3, 1, "other", 0).points(0, 8), points);
  EXPECT_NE(ScrambledSobol(3, 1, "test", 1).points(0, 8), points);
}

TEST(ScrambledSobol, LastPointsExistAndLieInside) {
  const Eigen::MatrixXd points = ScrambledSobol(5, 1, "test").points(ScrambledSobol::kMaxPoints - 100, 100);
  EXPECT_GT(points.minCoeff(), 0);
  EXPECT_LT(points.maxCoeff(), 1);
}

TEST(ScrambledSobol, RefusesMoreCoordinatesThanThereAreNumbersFor) {
  EXPECT_EQ(ScrambledSobol(ScrambledSobol::kMaxDimensions, 1, "test").points(5, 1).rows(),
            ScrambledSobol::kMaxDimensions);
  try {
    ScrambledSobol(3668, 1, "test");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.what_is_wrong(), "Sobol points have at most 3667 coordinates, not 3668");
  }
}

TEST(ScrambledSobol, IsUnbiasedAndBetterThanIndependentPoints) {
  // ∏ (1 + (x_j − ½)): integral 1, variance of one point (13/12)^6 − 1 = 0.616.
  constexpr Index kCount = 1024;
  constexpr int kScrambles = 50;
  double mean = 0, square = 0;
  for (int number = 0; number < kScrambles; ++number) {
    const Eigen::MatrixXd points = ScrambledSobol(6, 5, "test", number).points(0, kCount);
    const double error = (points.array() + 0.5).colwise().prod().mean() - 1;
    mean += error / kScrambles;
    square += error * error / kScrambles;
  }
  EXPECT_LT(std::sqrt(square), std::sqrt(0.616 / kCount) / 10);  // measured: a 37th
  EXPECT_LT(std::abs(mean), 5 * std::sqrt(square / kScrambles));
}

TEST(ScrambledSobol, NormalsHaveTheirMoments) {
  const Eigen::ArrayXXd normals = ScrambledSobol(4, 1, "test").normals(0, 4096);
  const Eigen::ArrayXXd points = ScrambledSobol(4, 1, "test").points(0, 4096);
  EXPECT_NEAR(normals.mean(), 0, 1e-3);
  EXPECT_NEAR(normals.square().mean(), 1, 5e-3);
  EXPECT_NEAR((normals.row(0) * normals.row(3)).mean(), 0, 5e-3);
  for (Index i = 0; i < 4096; ++i)
    EXPECT_NEAR(0.5 * std::erfc(-normals(2, i) / std::numbers::sqrt2), points(2, i), 1e-14);
}

}  // namespace
}  // namespace tempera
