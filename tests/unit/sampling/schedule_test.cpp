#include "core/sampling/schedule.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace tempera {
namespace {

TEST(MonotoneCubic, GoesThroughItsPointsAndNeverTurns) {
  const std::vector<double> x{0, 0.1, 0.15, 0.6, 0.9, 1}, y{0, 2, 2, 2.1, 7, 7.5};
  const MonotoneCubic curve(x, y);
  for (std::size_t k = 0; k < x.size(); ++k) EXPECT_EQ(curve(x[k]), y[k]);
  double before = 0;
  for (int k = 0; k <= 10'000; ++k) {
    const double value = curve(k * 1e-4);
    EXPECT_GE(value, before);
    before = value;
  }
}

TEST(MonotoneCubic, ReproducesStraightLinesAndInvertsItself) {
  const std::vector<double> x{0, 0.3, 0.5, 2}, y{1, 1.6, 2, 5};
  const MonotoneCubic line(x, y);
  for (const double at : {0.0, 0.1, 0.31, 0.77, 1.9, 2.0}) {
    EXPECT_NEAR(line(at), 1 + 2 * at, 1e-14);
    EXPECT_NEAR(line.inverse(1 + 2 * at), at, 1e-14);
  }
}

TEST(EqualRejectionSchedule, IsGeometricInPrecisionForAGaussian) {
  // The cumulative barrier is c · log(precision at β); rejections of a fine even ladder stand for it.
  const double precision = 100;
  const auto precision_at = [&](double beta) { return 1 + (precision - 1) * beta; };
  const std::vector<double> even = even_schedule(2001);
  std::vector<double> rejections;
  for (std::size_t i = 0; i + 1 < even.size(); ++i)
    rejections.push_back(0.3 * std::log(precision_at(even[i + 1]) / precision_at(even[i])));
  const std::vector<double> cut = equal_rejection_schedule(even, rejections, 8);
  ASSERT_EQ(cut.size(), 8U);
  EXPECT_EQ(cut.front(), 0);
  EXPECT_EQ(cut.back(), 1);
  for (std::size_t i = 0; i < cut.size(); ++i)
    EXPECT_NEAR(precision_at(cut[i]), std::pow(precision, static_cast<double>(i) / 7), 1e-3 * precision_at(cut[i]));
}

TEST(EqualRejectionSchedule, StaysStrictlyIncreasingWhereNothingWasRejected) {
  for (const std::vector<double>& rejections : {std::vector<double>{0, 0, 0}, {0, 1, 0}, {1, 0, 0}, {1, 1, 1}}) {
    const auto cut = equal_rejection_schedule(even_schedule(4), rejections, 6);
    ASSERT_EQ(cut.size(), 6U);
    for (std::size_t i = 0; i + 1 < cut.size(); ++i) EXPECT_LT(cut[i], cut[i + 1]);
  }
}

TEST(Ladder, LengthAndRoundTripsFollowTheBarrier) {
  EXPECT_EQ(suggested_chains(0), 2);
  EXPECT_EQ(suggested_chains(1.2), 4);
  EXPECT_EQ(suggested_chains(5), 11);
  const std::vector<double> none{0, 0, 0}, half{0.5, 0.5};
  EXPECT_EQ(ideal_round_trip_rate(none), 0.5);
  EXPECT_NEAR(ideal_round_trip_rate(half), 1.0 / 6, 1e-15);
}

}  // namespace
}  // namespace tempera
