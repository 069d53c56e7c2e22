#include "core/sampling/weighted_summary.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "core/base/random_stream.hpp"
#include "core/sampling/evidence.hpp"

namespace tempera {
namespace {

constexpr Index kScans = 2000;

/// Independent draws of N(0, 1/(1 + 3 β)) for each β: reference N(0, 1), likelihood exp(−3 x²/2).
struct GaussianLadder {
  std::vector<double> schedule{0, 0.1, 0.3, 1}, x, likelihoods;

  explicit GaussianLadder(int seed) {
    for (std::size_t c = 0; c < schedule.size(); ++c) {
      RandomStream stream(9, "weights-test", {seed, static_cast<Index>(c)});
      for (Index t = 0; t < kScans; ++t) {
        x.push_back(stream.normal() / std::sqrt(1 + 3 * schedule[c]));
        likelihoods.push_back(-1.5 * x.back() * x.back());
      }
    }
  }
};

TEST(WeightedSummary, HotDrawsAreMadeDrawsOfTheTarget) {
  double squares = 0;
  constexpr int kSeeds = 100;
  for (int seed = 0; seed < kSeeds; ++seed) {
    const GaussianLadder ladder(seed);
    const auto weights = target_weights(ladder.schedule, ladder.likelihoods, kScans);
    EXPECT_NEAR(std::accumulate(weights.begin(), weights.end(), 0.0), 1, 1e-12);
    const WeightedSummary summary = weighted_summary(ladder.x, weights, kScans);
    EXPECT_NEAR(summary.sd, 0.5, 0.03);
    EXPECT_NEAR(summary.q50, 0, 0.06);
    EXPECT_NEAR(summary.q95, 0.5 * 1.645, 0.08);
    EXPECT_NEAR(summary.q05, -0.5 * 1.645, 0.08);
    EXPECT_GT(summary.ess, 1.3 * kScans);  // more than the target's own draws tell
    squares += std::pow(summary.mean / summary.mcse_mean, 2);
  }
  // χ² of 100 degrees of freedom: outside with probability 1e-6.
  EXPECT_GT(squares, 48);
  EXPECT_LT(squares, 181);
}

TEST(WeightedSummary, EqualWeightsAreThePlainMeans) {
  const std::vector<double> values{3, 1, 2, 5, 4, 6, 9, 7, 8, 10};
  const WeightedSummary summary = weighted_summary(values, std::vector<double>(10, 0.1), 10);
  EXPECT_DOUBLE_EQ(summary.mean, 5.5);
  EXPECT_DOUBLE_EQ(summary.sd, std::sqrt(8.25));
  EXPECT_EQ(summary.q50, 5);
}

TEST(TargetWeights, DrawsWithoutLikelihoodWeighNothing) {
  GaussianLadder ladder(0);
  for (std::size_t t = 0; t < 100; ++t) ladder.likelihoods[t] = -INFINITY;  // at β = 0 alone
  const auto weights = target_weights(ladder.schedule, ladder.likelihoods, kScans);
  for (std::size_t t = 0; t < 100; ++t) EXPECT_LT(weights[t], 1e-300);
  EXPECT_NEAR(std::accumulate(weights.begin(), weights.end(), 0.0), 1, 1e-12);
}

}  // namespace
}  // namespace tempera
