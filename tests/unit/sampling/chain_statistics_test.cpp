#include "core/sampling/chain_statistics.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace tempera {
namespace {

ChainTuning standard(std::size_t dimension) {
  ChainTuning tuning;
  tuning.means.assign(dimension, 0.0);
  tuning.scales.assign(dimension, 1.0);
  return tuning;
}

/// Pairs of correlation rho, the second in units of a thousandth, around (3, 0).
std::vector<std::vector<double>> pairs(int count, double rho) {
  std::vector<std::vector<double>> draws;
  RandomStream stream(1, "statistics-test", {count});
  for (int k = 0; k < count; ++k) {
    const double a = stream.normal(), b = rho * a + std::sqrt(1 - rho * rho) * stream.normal();
    draws.push_back({3 + a, 1e-3 * b});
  }
  return draws;
}

TEST(ChainStatistics, PartsMergeToTheWholeAndSurviveARecord) {
  const auto draws = pairs(100, 0.5);
  for (const bool covariance : {false, true}) {
    ChainStatistics whole(2, covariance), merged(2, covariance);
    ChainStatistics parts[] = {merged, merged, merged};
    for (std::size_t k = 0; k < draws.size(); ++k) {
      StepRecord step;
      step.acceptance = 0.25;
      step.divergent = k % 10 == 0;
      whole.add(draws[k], step);
      parts[k % 7 == 0 ? 0 : 1].add(draws[k], step);  // the third stays empty
    }
    for (const ChainStatistics& part : parts) {
      std::vector<double> record;
      part.append_to(record);
      ASSERT_EQ(record.size(), ChainStatistics::width(2, covariance));
      merged.merge(ChainStatistics(2, covariance, record));
    }
    EXPECT_EQ(merged.count(), 100);
    EXPECT_EQ(merged.report().divergences, 10);
    EXPECT_DOUBLE_EQ(merged.report().mean_acceptance(), 0.25);
    std::vector<double> a, b;
    whole.append_to(a);
    merged.append_to(b);
    for (std::size_t k = 0; k < a.size(); ++k) EXPECT_NEAR(a[k], b[k], 1e-12 * (1 + std::abs(a[k])));
  }
}

TEST(ChainStatistics, RoundsLearnScalesAndTheStrongestCorrelations) {
  const double rho = -0.99999;
  ChainTuning tuning = standard(2);
  for (int round = 1; round <= 10; ++round) {
    ChainStatistics statistics(2, true);
    for (const auto& draw : pairs(1 << round, rho)) statistics.add(draw, {});
    tuning = statistics.learnt(tuning);
  }
  EXPECT_NEAR(tuning.means[0], 3, 0.1);
  EXPECT_NEAR(tuning.scales[0], 1, 0.1);
  EXPECT_NEAR(tuning.scales[1], 1e-3, 1e-4);
  // L = diag(scales) · [1 0; rho sqrt(1 − rho²)]
  EXPECT_NEAR(tuning.covariance_factor[2] / tuning.scales[1], rho, 1e-4);
  EXPECT_NEAR(tuning.covariance_factor[3] / tuning.scales[1] / std::sqrt(1 - rho * rho), 1, 0.3);
}

TEST(ChainStatistics, WhatDidNotMoveKeepsItsScale) {
  ChainStatistics statistics(2, true);
  for (int k = 0; k < 50; ++k) statistics.add(std::vector<double>{7, static_cast<double>(k % 2)}, {});
  const ChainTuning tuning = statistics.learnt(standard(2));
  EXPECT_EQ(tuning.scales[0], 1);
  EXPECT_NEAR(tuning.scales[1], 0.53, 0.02);  // between the spread ½ and 1
  EXPECT_EQ(tuning.covariance_factor[2], 0);
  ChainStatistics nothing(2, true);
  nothing.add(std::vector<double>{1, 2}, {});
  EXPECT_EQ(nothing.learnt(standard(2)).means[1], 0);
}

}  // namespace
}  // namespace tempera
