#include "core/factorization/poisson.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "core/base/random_stream.hpp"

namespace tempera {
namespace {

/// One row: counts x with the vectors π of its cells; s are sums over more cells than these, as zeros count there.
struct Row {
  std::vector<double> x;
  std::vector<std::vector<double>> pi;
  std::vector<double> s;

  std::size_t rank() const { return s.size(); }
  double model(std::size_t j, const std::vector<double>& b) const {
    double m = 0;
    for (std::size_t r = 0; r < rank(); ++r) m += pi[j][r] * b[r];
    return m;
  }
  double objective(const std::vector<double>& b) const {
    double f = 0;
    for (std::size_t r = 0; r < rank(); ++r) f += s[r] * b[r];
    for (std::size_t j = 0; j < x.size(); ++j) f -= x[j] * std::log(model(j, b));
    return f;
  }
  std::vector<double> phi(const std::vector<double>& b) const {
    std::vector<double> result(rank(), 0.0);
    for (std::size_t j = 0; j < x.size(); ++j)
      for (std::size_t r = 0; r < rank(); ++r) result[r] += x[j] / model(j, b) * pi[j][r];
    return result;
  }
  std::vector<double> hessian(const std::vector<double>& b) const {
    std::vector<double> result;
    for (std::size_t r = 0; r < rank(); ++r)
      for (std::size_t q = 0; q <= r; ++q) {
        result.push_back(0);
        for (std::size_t j = 0; j < x.size(); ++j)
          result.back() += x[j] / std::pow(model(j, b), 2) * pi[j][r] * pi[j][q];
      }
    return result;
  }
};

Row random_row(std::size_t rank, std::size_t cells, double largest, std::uint64_t seed) {
  RandomStream stream(seed, "poisson-row", {});
  Row row;
  row.s.assign(rank, 0.0);
  for (std::size_t j = 0; j < cells; ++j) {
    row.x.push_back(1 + std::floor(largest * std::pow(stream.uniform(), 4)));
    row.pi.emplace_back();
    for (std::size_t r = 0; r < rank; ++r) {
      row.pi.back().push_back(std::pow(stream.uniform(), 3));
      row.s[r] += row.pi.back()[r] * (1 + 2 * stream.uniform());
    }
  }
  return row;
}

std::vector<double> random_start_of(std::size_t rank, std::uint64_t seed) {
  RandomStream stream(seed, "poisson-start", {});
  std::vector<double> b;
  for (std::size_t r = 0; r < rank; ++r) b.push_back(std::exp(6 * stream.uniform() - 3));
  return b;
}

TEST(CountNewton, ReachesTheOptimumOfEveryRowAndNeverRises) {
  std::uint64_t seed = 0;
  for (std::size_t rank : {1u, 2u, 3u, 6u, 10u, 17u})
    for (std::size_t cells : {1u, 2u, 5u, 40u})  // fewer cells than components: a singular Hessian
      for (double largest : {1.0, 1e3, 1e9}) {
        const Row row = random_row(rank, cells, largest, ++seed);
        std::vector<double> b = random_start_of(rank, seed);
        CountNewton newton(static_cast<Index>(rank));
        double before = row.objective(b);
        int steps = 0;
        for (; steps < 100 && count_kkt(b, row.phi(b), row.s) > 1e-9; ++steps) {
          newton.step(b, row.phi(b), row.hessian(b), row.s);
          const double after = row.objective(b);
          EXPECT_LE(after, before + 1e-13 * (std::abs(before) + largest)) << "seed " << seed << " step " << steps;
          before = after;
        }
        EXPECT_LE(count_kkt(b, row.phi(b), row.s), 1e-9) << "seed " << seed;
        EXPECT_LE(steps, 40) << "seed " << seed;
        // The problem is convex: many multiplicative updates end no lower.
        std::vector<double> slow = random_start_of(rank, seed + 1000);
        for (int k = 0; k < 2000; ++k) multiplicative_step(slow, row.phi(slow), row.s);
        EXPECT_LE(before, row.objective(slow) + 1e-10 * std::abs(before)) << "seed " << seed;
      }
}

TEST(CountNewton, ConvergesQuadraticallyInside) {
  // Two cells, two components, diagonal: the optimum x / s is inside.
  const Row row{{7, 9}, {{1, 0.2}, {0.1, 1}}, {1.1, 1.2}};
  std::vector<double> b{5, 6};
  CountNewton newton(2);
  std::vector<double> violations;
  for (int step = 0; step < 8; ++step) {
    violations.push_back(count_kkt(b, row.phi(b), row.s));
    newton.step(b, row.phi(b), row.hessian(b), row.s);
  }
  EXPECT_LE(violations.back(), 1e-14);
  for (std::size_t k = 0; k + 1 < violations.size(); ++k) {
    if (violations[k] < 1e-2) {
      EXPECT_LE(violations[k + 1], 10 * violations[k] * violations[k] + 1e-14);
    }
  }
}

TEST(CountNewton, ReachesZerosExactlyAndLeavesThemWhenTheLikelihoodRises) {
  // The second component only predicts counts where there are none.
  const Row row{{5}, {{1, 0.01}}, {1, 3}};
  std::vector<double> b{1, 1};
  CountNewton newton(2);
  for (int step = 0; step < 30; ++step) newton.step(b, row.phi(b), row.hessian(b), row.s);
  EXPECT_EQ(b[1], 0.0);
  EXPECT_NEAR(b[0], 5, 1e-12);
  const Row other{{5, 8}, {{1, 0.01}, {0.1, 1}}, {1, 1}};
  for (int step = 0; step < 30; ++step) newton.step(b, other.phi(b), other.hessian(b), other.s);
  EXPECT_GT(b[1], 1);
  EXPECT_LE(count_kkt(b, other.phi(b), other.s), 1e-12);
}

TEST(CountNewton, ARowWithoutCountsBecomesZero) {
  std::vector<double> b{1, 2, 3};
  const std::vector<double> phi(3, 0.0), hessian(6, 0.0), s{1, 1, 0};
  CountNewton newton(3);
  newton.step(b, phi, hessian, s);
  EXPECT_EQ(b, (std::vector<double>{0, 0, 3})) << "a component that is dead elsewhere stays as it is";
}

TEST(MultiplicativeStep, NeverRises) {
  for (std::uint64_t seed = 500; seed < 540; ++seed) {
    const Row row = random_row(1 + seed % 7, 1 + seed % 11, 1e4, seed);
    std::vector<double> b = random_start_of(row.rank(), seed);
    double before = row.objective(b);
    for (int step = 0; step < 50; ++step) {
      multiplicative_step(b, row.phi(b), row.s);
      EXPECT_LE(row.objective(b), before + 1e-13 * (std::abs(before) + 1e4)) << "seed " << seed;
      before = row.objective(b);
    }
  }
}

TEST(InadmissibleZeros, AreRaisedWhereTheLikelihoodRisesAndItDoes) {
  int raised = 0;
  for (std::uint64_t seed = 600; seed < 640; ++seed) {
    const Row row = random_row(6, 1 + seed % 9, 100, seed);
    std::vector<double> b = random_start_of(6, seed);
    b[1] = b[3] = 0;
    b[4] = 1e-14;
    const std::vector<double> before = b, scale(6, 50.0), phi = row.phi(b);
    const double objective = row.objective(b);
    const bool any = shift_inadmissible_zeros(b, phi, row.s, scale);
    for (std::size_t r = 0; r < 6; ++r) {
      const bool expected = before[r] < 1e-10 && phi[r] > row.s[r];
      EXPECT_EQ(b[r] > before[r], expected) << "seed " << seed;
      EXPECT_LE(b[r], before[r] + kInadmissibleShift * 50);
      raised += expected ? 1 : 0;
    }
    EXPECT_EQ(any, b != before);
    if (any) {
      EXPECT_LT(row.objective(b), objective) << "seed " << seed;
    }
  }
  EXPECT_GE(raised, 20);
}

}  // namespace
}  // namespace tempera
