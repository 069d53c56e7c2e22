#include "core/linalg/prox.hpp"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <vector>

#include "core/base/random_stream.hpp"

namespace tempera {
namespace {

using Vector = std::vector<double>;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

Vector random_vector(std::size_t size, std::uint64_t seed, double spread = 1) {
  RandomStream stream(seed, "prox-test", {static_cast<std::int64_t>(size)});
  Vector x(size);
  for (double& value : x) value = spread * stream.normal();
  return x;
}

double squared_distance(const Vector& a, const Vector& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}

void expect_near(const Vector& found, const Vector& expected, double tolerance, const std::string& what) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i)
    EXPECT_NEAR(found[i], expected[i], tolerance) << what << " entry " << i;
}

/// z_i = max over a ≤ i of min over b ≥ i of the mean of x_a … x_b: isotonic regression by its min–max formula.
Vector rising_by_definition(const Vector& x) {
  Vector z(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    z[i] = -kInfinity;
    for (std::size_t a = 0; a <= i; ++a) {
      double least = kInfinity,
             sum = std::accumulate(x.begin() + static_cast<long>(a), x.begin() + static_cast<long>(i), 0.0);
      for (std::size_t b = i; b < x.size(); ++b) {
        sum += x[b];
        least = std::min(least, sum / static_cast<double>(b - a + 1));
      }
      z[i] = std::max(z[i], least);
    }
  }
  return z;
}

Vector clipped(Vector x, double lower, double upper) {
  for (double& value : x) value = std::clamp(value, lower, upper);
  return x;
}

TEST(Prox, MonotoneIsTheMinMaxFormula) {
  for (std::size_t size : {1u, 2u, 3u, 7u, 20u})
    for (std::uint64_t seed = 0; seed < 40; ++seed)
      for (auto [lower, upper] : {std::pair{-kInfinity, kInfinity}, {0.0, kInfinity}, {-0.5, 0.25}}) {
        const Vector x = random_vector(size, seed);
        Vector z = x;
        project_monotone(z, lower, upper);
        expect_near(z, clipped(rising_by_definition(x), lower, upper), 1e-13, "seed " + std::to_string(seed));
      }
}

TEST(Prox, UnimodalIsTheBestOfEveryPeak) {
  for (std::size_t size : {1u, 2u, 3u, 6u, 15u})
    for (std::uint64_t seed = 0; seed < 60; ++seed)
      for (auto [lower, upper] : {std::pair{-kInfinity, kInfinity}, {0.0, kInfinity}, {-0.2, 0.7}}) {
        const Vector x = random_vector(size, seed);
        Vector z = x;
        project_unimodal(z, lower, upper);
        double best = kInfinity;
        for (std::size_t peak = 0; peak <= size; ++peak) {
          Vector rising(x.begin(), x.begin() + static_cast<long>(peak)),
              falling(x.rbegin(), x.rend() - static_cast<long>(peak));
          Vector candidate = rising_by_definition(rising), rest = rising_by_definition(falling);
          candidate.insert(candidate.end(), rest.rbegin(), rest.rend());
          best = std::min(best, squared_distance(clipped(candidate, lower, upper), x));
        }
        EXPECT_NEAR(squared_distance(z, x), best, 1e-12 * (1 + best)) << "size " << size << " seed " << seed;
        const auto top = std::max_element(z.begin(), z.end());
        EXPECT_TRUE(std::is_sorted(z.begin(), top + 1));
        EXPECT_TRUE(std::is_sorted(top, z.end(), std::greater<>()));
        EXPECT_GE(*std::min_element(z.begin(), z.end()), lower);
        EXPECT_LE(*top, upper);
      }
}

TEST(Prox, SimplexIsTheSortedDefinition) {
  for (std::size_t size : {1u, 2u, 5u, 40u})
    for (std::uint64_t seed = 0; seed < 40; ++seed)
      for (double spread : {0.01, 1.0, 1e6}) {
        const Vector x = random_vector(size, seed, spread);
        Vector sorted = x, z = x;
        std::sort(sorted.begin(), sorted.end(), std::greater<>());
        double sum = 0, shift = 0;
        for (std::size_t k = 0; k < size; ++k) {
          sum += sorted[k];
          const double candidate = (sum - 1) / static_cast<double>(k + 1);
          if (sorted[k] > candidate) shift = candidate;
        }
        Vector expected = x;
        for (double& value : expected) value = std::max(0.0, value - shift);
        project_simplex(z);
        expect_near(z, expected, 1e-15 * spread * static_cast<double>(size) + 1e-15, "seed " + std::to_string(seed));
        EXPECT_NEAR(std::accumulate(z.begin(), z.end(), 0.0), 1, 1e-14 * (1 + spread) * static_cast<double>(size));
      }
}

// Every entry at its lower bound, at its upper bound or free.
TEST(Prox, BoundedSimplexIsTheBestOfAllActiveSets) {
  for (auto [lower, upper] : {std::pair{0.0, 0.4}, {0.1, 0.5}, {0.2, 1.0}, {0.25, 0.25}, {-1.0, 2.0}})
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
      const Vector x = random_vector(4, seed);
      double best = kInfinity;
      for (int code = 0; code < 81; ++code) {
        Vector z(4);
        double fixed = 0, free_sum = 0, free_count = 0;
        int rest = code;
        std::vector<int> place(4);
        for (std::size_t i = 0; i < 4; ++i, rest /= 3) {
          place[i] = rest % 3;
          if (place[i] == 2) free_sum += x[i], free_count += 1;
          if (place[i] < 2) fixed += z[i] = place[i] == 0 ? lower : upper;
        }
        for (std::size_t i = 0; i < 4; ++i)
          if (place[i] == 2) z[i] = x[i] - (free_sum + fixed - 1) / free_count;
        const bool allowed = std::abs(std::accumulate(z.begin(), z.end(), 0.0) - 1) < 1e-9 &&
                             *std::min_element(z.begin(), z.end()) >= lower - 1e-12 &&
                             *std::max_element(z.begin(), z.end()) <= upper + 1e-12;
        if (allowed) best = std::min(best, squared_distance(z, x));
      }
      Vector z = x;
      project_simplex(z, lower, upper);
      EXPECT_NEAR(squared_distance(z, x), best, 1e-12 * (1 + best)) << lower << " to " << upper << " seed " << seed;
      EXPECT_NEAR(std::accumulate(z.begin(), z.end(), 0.0), 1, 1e-14);
    }
}

Eigen::MatrixXd smoothing_matrix(long size, double strength) {
  Eigen::MatrixXd d = Eigen::MatrixXd::Zero(std::max(0l, size - 2), size);
  for (long k = 0; k + 2 < size; ++k) {
    d(k, k) = d(k, k + 2) = 1;
    d(k, k + 1) = -2;
  }
  return Eigen::MatrixXd::Identity(size, size) + strength * d.transpose() * d;
}

TEST(Prox, SmoothSolvesTheNormalEquations) {
  for (std::size_t size : {1u, 2u, 3u, 4u, 5u, 12u, 50u})
    for (double strength : {0.0, 0.3, 1e4}) {
      const Vector x = random_vector(size, 5);
      Vector z = x;
      smooth(z, strength);
      const Eigen::VectorXd expected = smoothing_matrix(static_cast<long>(size), strength)
                                           .ldlt()
                                           .solve(Eigen::Map<const Eigen::VectorXd>(x.data(), static_cast<long>(size)));
      expect_near(z, Vector(expected.data(), expected.data() + expected.size()), 1e-10,
                  "strength " + std::to_string(strength));
    }
  EXPECT_EQ(roughness(Vector{1, 2}), 0);
  EXPECT_EQ(roughness(Vector{1, 2, 3, 5}), 1);
}

TEST(Prox, NonnegativeSmoothIsTheBestOfAllActiveSets) {
  for (long size : {1l, 2l, 3l, 5l, 8l})
    for (double strength : {0.2, 10.0, 1e5})
      for (std::uint64_t seed = 0; seed < 20; ++seed) {
        const Vector x = random_vector(static_cast<std::size_t>(size), seed);
        const Eigen::MatrixXd a = smoothing_matrix(size, strength);
        const Eigen::VectorXd target = Eigen::Map<const Eigen::VectorXd>(x.data(), size);
        const auto objective = [&](const Eigen::VectorXd& z) { return 0.5 * z.dot(a * z) - target.dot(z); };
        double best = 0;
        for (unsigned set = 1; set < 1u << size; ++set) {
          std::vector<long> kept;
          for (long i = 0; i < size; ++i)
            if (set >> i & 1) kept.push_back(i);
          const Eigen::VectorXd part = a(kept, kept).ldlt().solve(target(kept).eval());
          if (part.minCoeff() < 0) continue;
          Eigen::VectorXd z = Eigen::VectorXd::Zero(size);
          z(kept) = part;
          best = std::min(best, objective(z));
        }
        Vector z = x;
        smooth_nonnegative(z, strength);
        EXPECT_GE(*std::min_element(z.begin(), z.end()), 0);
        EXPECT_NEAR(objective(Eigen::Map<const Eigen::VectorXd>(z.data(), size)), best,
                    4e-16 * (100 + 16 * strength) * (1 + std::abs(best)))
            << "size " << size << " strength " << strength << " seed " << seed;
      }
}

TEST(Prox, NonnegativeSmoothOfLongColumnsSatisfiesTheOptimalityConditions) {
  const std::size_t size = 3000;
  for (double strength : {1.0, 1e3}) {
    const Vector x = random_vector(size, 77);
    Vector z = x;
    smooth_nonnegative(z, strength);
    for (std::size_t i = 0; i < size; ++i) {
      double gradient = z[i] - x[i];
      for (std::size_t k = 1; k + 1 < size; ++k) {
        if (i + 1 < k || i > k + 1) continue;
        const double difference = z[k - 1] - 2 * z[k] + z[k + 1];
        gradient += strength * difference * (i == k ? -2 : 1);
      }
      ASSERT_GE(gradient, -1e-10 * strength);
      ASSERT_GE(z[i], 0);
      ASSERT_LE(z[i] * gradient, 1e-9 * strength);
    }
  }
}

TEST(Prox, ThresholdClipAndBallAreTheirFormulas) {
  Vector x{-3, -0.5, 0, 0.25, 2};
  soft_threshold(x, 0.5);
  expect_near(x, {-2.5, 0, 0, 0, 1.5}, 0, "soft");
  clip(x, -1, 1);
  expect_near(x, {-1, 0, 0, 0, 1}, 0, "clip");
  project_ball(x);
  expect_near(x, {-std::sqrt(0.5), 0, 0, 0, std::sqrt(0.5)}, 1e-15, "ball");
  Vector inside{0.3, 0.4};
  project_ball(inside);
  expect_near(inside, {0.3, 0.4}, 0, "inside the ball");
}

}  // namespace
}  // namespace tempera
