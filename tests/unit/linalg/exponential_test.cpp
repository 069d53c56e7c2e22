#include "core/linalg/exponential.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "core/base/random_stream.hpp"
#include "core/base/simd.hpp"

namespace tempera {
namespace {

double one(double x) {
  exponentials({&x, 1});
  return x;
}

TEST(Exponentials, AreWithinTwoUlpsOverAllNumbers) {
  RandomStream stream(2, "exponential-test");
  std::vector<double> x;
  for (int k = 0; k < 200'000; ++k) x.push_back(-708.3 + 1418.08 * stream.uniform());
  for (int k = 0; k < 200'000; ++k) x.push_back(3 * stream.normal());
  for (int k = -1020; k <= 1023; ++k)
    for (const double off : {-1e-12, 0.0, 1e-12}) x.push_back((k + 0.5) * std::log(2.0) + off);  // where n changes
  std::vector<double> y = x;
  exponentials(y);
  double worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const long double exact = std::exp(static_cast<long double>(x[i]));
    const long double ulp =
        std::nextafter(static_cast<double>(exact), INFINITY) - static_cast<long double>(static_cast<double>(exact));
    const double error = static_cast<double>(std::abs(y[i] - exact) / ulp);
    if (!(error <= worst)) worst = error;
    ASSERT_LT(error, 1.5) << "of " << x[i] << ", level " << name(simd_level());
  }
  EXPECT_GT(worst, 0.1);
}

TEST(Exponentials, EndWhereNumbersEnd) {
  EXPECT_EQ(one(0), 1);
  EXPECT_EQ(one(-0.0), 1);
  EXPECT_EQ(one(-709), 0);
  EXPECT_EQ(one(-1e300), 0);
  EXPECT_EQ(one(-INFINITY), 0);
  EXPECT_EQ(one(INFINITY), INFINITY);
  EXPECT_EQ(one(710), INFINITY);
  EXPECT_EQ(one(1e300), INFINITY);
  EXPECT_TRUE(std::isnan(one(NAN)));
  EXPECT_TRUE(std::isnan(one(-NAN)));
  EXPECT_EQ(one(709.785), INFINITY);
  EXPECT_NEAR(one(709.7826) / std::exp(709.7826), 1, 1e-15);
  EXPECT_NEAR(one(709.78) / std::exp(709.78), 1, 1e-15);
  EXPECT_NEAR(one(-708) / std::exp(-708), 1, 1e-15);
  EXPECT_EQ(one(5e-324), 1);
}

TEST(Exponentials, DoNotDependOnNeighboursOrPlace) {
  std::vector<double> x;
  for (int k = 0; k < 37; ++k) x.push_back(std::sin(k) * 20);
  for (std::size_t first = 0; first < 9; ++first)
    for (std::size_t count = 0; count + first <= x.size(); ++count) {
      std::vector<double> y = x;
      exponentials(std::span(y).subspan(first, count));
      for (std::size_t i = 0; i < x.size(); ++i)
        ASSERT_EQ(y[i], i >= first && i < first + count ? one(x[i]) : x[i]) << first << " " << count << " " << i;
    }
}

}  // namespace
}  // namespace tempera
