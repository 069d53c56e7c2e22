#include "distributed/bayesopt/pacing.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace tempera::test {
namespace {

/// The chance that a Poisson number is k or more.
double at_least(Index k, double mean) {
  double below = 0;
  for (Index i = 0; i < k; ++i)
    below += std::exp(-mean + static_cast<double>(i) * std::log(mean) - std::lgamma(static_cast<double>(i) + 1));
  return 1 - below;
}

TEST(Pacing, PreparesSoManyThatOneInAHundredFindsNone) {
  for (const double proposing : {1e-4, 0.01, 0.05, 0.3, 1.0})
    for (const Index workers : {2, 8, 64}) {
      constexpr double kTrial = 10;
      const Index ahead = proposals_ahead(workers, proposing, kTrial);
      const double ends = static_cast<double>(workers) * proposing / kTrial;
      EXPECT_TRUE(ahead == workers || at_least(ahead, ends) <= 0.01) << workers << " " << proposing;
      EXPECT_TRUE(ahead == 1 || at_least(ahead - 1, ends) > 0.01) << workers << " " << proposing;
    }
  EXPECT_EQ(proposals_ahead(1, 0.3, 10), 0);
  EXPECT_EQ(proposals_ahead(8, 0.3, 0), 1);
  EXPECT_EQ(proposals_ahead(8, 0.3, 1e-9), 8);
}

}  // namespace
}  // namespace tempera::test
