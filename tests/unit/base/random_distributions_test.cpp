#include <gtest/gtest.h>

#include <boost/math/distributions/beta.hpp>
#include <boost/math/distributions/exponential.hpp>
#include <boost/math/distributions/gamma.hpp>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/poisson.hpp>
#include <cmath>
#include <map>

#include "core/base/random_stream.hpp"
#include "tests/support/statistics.hpp"

// Every test below is a pure function of fixed seeds. With other seeds each single comparison would raise a false alarm
// with probability at most kFalseAlarm; there are fewer than 100 of them. Power: with 200 000 draws a cdf that is off
// by 0.008 anywhere is found with probability above 1 − 1e-4.

namespace tempera {
namespace {

using test::chi_square_p_value;
using test::kolmogorov_smirnov_p_value;

constexpr double kFalseAlarm = 1e-8;
constexpr int kDraws = 200000;

template <class Draw>
std::vector<double> sample(RandomStream stream, Draw draw, int n = kDraws) {
  std::vector<double> values(static_cast<std::size_t>(n));
  for (double& value : values) value = draw(stream);
  return values;
}

template <class Distribution>
auto cdf_of(Distribution distribution) {
  return [distribution](double x) { return boost::math::cdf(distribution, x); };
}

TEST(RandomDistributions, UniformMatchesItsCdf) {
  const auto cdf = [](double x) { return x; };
  EXPECT_GT(kolmogorov_smirnov_p_value(sample({1, "ks"}, [](auto& s) { return s.uniform(); }), cdf), kFalseAlarm);
  EXPECT_GT(kolmogorov_smirnov_p_value(sample({2, "ks"}, [](auto& s) { return s.uniform_open(); }), cdf), kFalseAlarm);
}

TEST(RandomDistributions, NormalAndExponentialMatchTheirCdf) {
  EXPECT_GT(
      kolmogorov_smirnov_p_value(sample({3, "ks"}, [](auto& s) { return s.normal(); }), cdf_of(boost::math::normal())),
      kFalseAlarm);
  EXPECT_GT(kolmogorov_smirnov_p_value(sample({4, "ks"}, [](auto& s) { return s.exponential(); }),
                                       cdf_of(boost::math::exponential())),
            kFalseAlarm);
}

TEST(RandomDistributions, NormalTailsBeyondTheZigguratAreRight) {
  // P(|x| > 3.5) = 4.65e-4: about 930 of 2 million draws; the tail is compared with its conditional cdf.
  const boost::math::normal normal;
  const double outside = boost::math::cdf(normal, -3.5);
  RandomStream stream(5, "tail");
  std::vector<double> tail;
  constexpr int n = 2000000;
  for (int i = 0; i < n; ++i) {
    const double x = std::abs(stream.normal());
    if (x > 3.5) tail.push_back(x);
  }
  const double expected = 2 * outside * n;
  EXPECT_LT(std::abs(static_cast<double>(tail.size()) - expected), 6 * std::sqrt(expected));
  EXPECT_GT(kolmogorov_smirnov_p_value(tail, [&](double x) { return 1 - boost::math::cdf(normal, -x) / outside; }),
            kFalseAlarm);
}

TEST(RandomDistributions, GammaMatchesItsCdfForSmallAndLargeShapes) {
  Index i = 0;
  for (const double shape : {0.1, 0.5, 0.999, 1.0, 1.5, 3.0, 30.0, 1e4}) {
    const auto values = sample({6, "gamma", {i++}}, [&](auto& s) { return s.gamma(shape, 2.5); });
    EXPECT_GT(kolmogorov_smirnov_p_value(values, cdf_of(boost::math::gamma_distribution<>(shape, 2.5))), kFalseAlarm)
        << "shape " << shape;
  }
}

TEST(RandomDistributions, LogGammaOfTinyShapesDoesNotUnderflow) {
  // For shape → 0 the logarithm is −E/shape with E exponential, up to terms of order one.
  for (const double shape : {1e-3, 1e-8, 1e-300}) {
    const auto values = sample({7, "tiny", {}}, [&](auto& s) { return -shape * s.log_gamma_draw(shape); });
    for (const double value : values) ASSERT_TRUE(std::isfinite(value));
    if (shape < 1e-6) {
      EXPECT_GT(kolmogorov_smirnov_p_value(values, cdf_of(boost::math::exponential())), kFalseAlarm)
          << "shape " << shape;
    }
  }
}

TEST(RandomDistributions, BetaMatchesItsCdf) {
  Index i = 0;
  for (const auto& [a, b] :
       std::vector<std::pair<double, double>>{{1, 1}, {2, 5}, {0.5, 0.5}, {0.1, 3}, {200, 0.7}, {1e3, 2e3}}) {
    const auto values = sample({8, "beta", {i++}}, [&](auto& s) { return s.beta(a, b); });
    EXPECT_GT(kolmogorov_smirnov_p_value(values, [&](double x) { return boost::math::ibeta(a, b, x); }), kFalseAlarm)
        << "a " << a << " b " << b;
  }
}

TEST(RandomDistributions, BetaOfTinyParametersIsACoinFlip) {
  RandomStream stream(9, "coin");
  std::int64_t ones = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double x = stream.beta(1e-200, 3e-200);
    ASSERT_TRUE(x == 0 || x == 1) << x;
    if (x == 1) ++ones;
  }
  EXPECT_GT(chi_square_p_value({ones, kDraws - ones}, {0.25, 0.75}), kFalseAlarm);
}

TEST(RandomDistributions, PoissonMatchesItsMassFunctionOnBothSidesOfTheSwitch) {
  Index i = 0;
  for (const double mean : {1e-3, 0.3, 1.0, 4.5, 9.999, 10.0, 10.5, 17.0, 55.5, 1000.25}) {
    const boost::math::poisson distribution(mean);
    const auto largest = static_cast<std::size_t>(mean + 12 * std::sqrt(mean) + 20);
    std::vector<std::int64_t> counts(largest + 1, 0);
    RandomStream stream(10, "poisson", {i++});
    for (int draw = 0; draw < 5 * kDraws; ++draw) {
      const std::int64_t k = stream.poisson(mean);
      ASSERT_GE(k, 0);
      ++counts[std::min(static_cast<std::size_t>(k), largest)];
    }
    std::vector<double> probabilities(largest + 1);
    for (std::size_t k = 0; k <= largest; ++k)
      probabilities[k] = boost::math::pdf(distribution, static_cast<double>(k));
    EXPECT_GT(chi_square_p_value(counts, probabilities), kFalseAlarm) << "mean " << mean;
  }
  EXPECT_EQ(RandomStream(0, "zero").poisson(0), 0);
}

TEST(RandomDistributions, PoissonOfHugeMeansKeepsItsShape) {
  // For these means the normal limit differs from the Poisson cdf by less than 1e-4, far below what 200 000 draws see.
  Index i = 0;
  for (const double mean : {1e8, 1e12, 4e15}) {
    const auto values = sample(
        {11, "huge", {i++}}, [&](auto& s) { return (static_cast<double>(s.poisson(mean)) - mean) / std::sqrt(mean); });
    EXPECT_GT(kolmogorov_smirnov_p_value(values, cdf_of(boost::math::normal())), kFalseAlarm) << "mean " << mean;
  }
}

TEST(RandomDistributions, UniformIndexIsUnbiasedForAwkwardRanges) {
  for (const Index n : {2, 3, 7, 10, 255}) {
    std::vector<std::int64_t> counts(static_cast<std::size_t>(n), 0);
    RandomStream stream(12, "index", {n});
    for (int i = 0; i < kDraws; ++i) ++counts[static_cast<std::size_t>(stream.uniform_index(n))];
    EXPECT_GT(chi_square_p_value(counts, std::vector<double>(counts.size(), 1.0 / static_cast<double>(n))), kFalseAlarm)
        << "n " << n;
  }
  // 3·2^61 does not divide 2^64: without rejection the lower two thirds would be drawn too often by a factor 3/2.
  const Index n = 3 * (Index{1} << 61);
  RandomStream stream(13, "index");
  std::vector<std::int64_t> thirds(3, 0);
  for (int i = 0; i < kDraws; ++i) ++thirds[static_cast<std::size_t>(stream.uniform_index(n) >> 61)];
  EXPECT_GT(chi_square_p_value(thirds, {1.0 / 3, 1.0 / 3, 1.0 / 3}), kFalseAlarm);
}

TEST(RandomDistributions, CategoricalFollowsItsWeightsAndNeverDrawsAZero) {
  const std::vector<double> weights{0, 1, 0, 3, 6, 0};
  std::vector<std::int64_t> counts(weights.size(), 0);
  RandomStream stream(14, "categorical");
  for (int i = 0; i < kDraws; ++i) ++counts[static_cast<std::size_t>(stream.categorical(weights))];
  EXPECT_EQ(counts[0] + counts[2] + counts[5], 0);
  EXPECT_GT(chi_square_p_value({counts[1], counts[3], counts[4]}, {0.1, 0.3, 0.6}), kFalseAlarm);
}

TEST(RandomDistributions, EveryPermutationOfFiveIsEquallyLikely) {
  std::map<std::vector<Index>, std::int64_t> counts;
  for (Index i = 0; i < kDraws; ++i) ++counts[RandomStream(15, "permutation", {i}).permutation(5)];
  ASSERT_EQ(counts.size(), 120u);
  std::vector<std::int64_t> cells;
  for (const auto& [order, count] : counts) cells.push_back(count);
  EXPECT_GT(chi_square_p_value(cells, std::vector<double>(120, 1.0 / 120)), kFalseAlarm);
}

TEST(RandomDistributions, NeighbouringStreamsAreIndependent) {
  // First draws of streams i and i + 1, for three ways to be neighbours: a 16 × 16 contingency table each.
  const auto first = [](int kind, Index i) {
    if (kind == 0) return RandomStream(16, "neighbour", {i}).uniform();
    if (kind == 1) return RandomStream(16, "neighbour", {3, i, 7, 1}).uniform();
    return RandomStream(static_cast<std::uint64_t>(i), "neighbour", {3}).uniform();
  };
  for (int kind = 0; kind < 3; ++kind) {
    std::vector<std::int64_t> table(256, 0);
    for (Index i = 0; i < kDraws; ++i) {
      const auto a = static_cast<std::size_t>(16 * first(kind, 2 * i));
      const auto b = static_cast<std::size_t>(16 * first(kind, 2 * i + 1));
      ++table[16 * a + b];
    }
    EXPECT_GT(chi_square_p_value(table, std::vector<double>(256, 1.0 / 256)), kFalseAlarm) << "kind " << kind;
  }
}

}  // namespace
}  // namespace tempera
