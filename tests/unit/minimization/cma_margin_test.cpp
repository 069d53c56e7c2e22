#include "core/minimization/cma_margin.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>

namespace tempera {
namespace {

constexpr double kNone = std::numeric_limits<double>::infinity();

double tail(double z) {
  return 0.5 * std::erfc(z / std::numbers::sqrt2);
}

TEST(CmaMargin, KeepsANeighbourOnEitherSideAndChangesNothingThatHasThem) {
  for (const double mean : {0.21, 0.25, 0.3, 0.39})
    for (const double sd : {1e-9, 1e-3, 0.02, 0.05, 1.0}) {
      constexpr double kMargin = 0.02, kBelow = 0.2, kAbove = 0.4, kStretch = 3;
      const double deviation = sd / kStretch;
      const CmaMarginal kept = with_margin({mean, kStretch}, deviation, kBelow, kAbove, kMargin);
      const double now = kept.stretch * deviation;
      const double low = tail((kept.mean - kBelow) / now), high = tail((kAbove - kept.mean) / now);
      EXPECT_GE(low, kMargin / 2 * (1 - 1e-9)) << mean << " " << sd;
      EXPECT_GE(high, kMargin / 2 * (1 - 1e-9)) << mean << " " << sd;
      EXPECT_GT(kept.mean, kBelow);
      EXPECT_LT(kept.mean, kAbove);
      if (tail((mean - kBelow) / sd) < kMargin / 2 || tail((kAbove - mean) / sd) < kMargin / 2) continue;
      EXPECT_EQ(kept.mean, mean);
      EXPECT_EQ(kept.stretch, kStretch);
    }
}

TEST(CmaMargin, InTheFirstAndTheLastCellTheOtherSideKeepsIt) {
  const CmaMarginal first = with_margin({-5, 1}, 0.1, -kNone, 0.5, 0.05);
  EXPECT_NEAR(tail((0.5 - first.mean) / 0.1), 0.05, 1e-12);
  EXPECT_EQ(first.stretch, 1);
  const CmaMarginal last = with_margin({7, 2}, 0.1, 0.5, kNone, 0.05);
  EXPECT_NEAR(tail((last.mean - 0.5) / 0.2), 0.05, 1e-12);
  EXPECT_EQ(with_margin({0.45, 1}, 0.1, -kNone, 0.5, 0.05).mean, 0.45);
  EXPECT_EQ(with_margin({0.45, 1}, 0.1, -kNone, kNone, 0.05).mean, 0.45);
}

}  // namespace
}  // namespace tempera
