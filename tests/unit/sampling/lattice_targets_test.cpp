#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "core/base/error.hpp"
#include "core/sampling/targets/ising.hpp"
#include "core/sampling/targets/phi4.hpp"
#include "tests/unit/sampling/differences.hpp"

namespace tempera {
namespace {

using test::Vector;

/// Σ over bonds of a periodic lattice, each site with its right and lower neighbour, by coordinates.
double bonds(const Vector& site, Index size) {
  double sum = 0;
  for (Index row = 0; row < size; ++row)
    for (Index column = 0; column < size; ++column) {
      const auto at = [&](Index r, Index c) { return site[static_cast<std::size_t>((r % size) * size + c % size)]; };
      sum += at(row, column) * (at(row, column + 1) + at(row + 1, column));
    }
  return sum;
}

/// log of the mean over all 2^(size²) states of exp(β Σ s_i s_j), states generated here and evaluated by the target.
double evidence_by_enumeration(IsingTarget& target, Index size, double beta) {
  const auto sites = static_cast<std::size_t>(size * size);
  double sum = 0;
  Vector u(sites);
  for (std::size_t state = 0; state < std::size_t{1} << sites; ++state) {
    for (std::size_t i = 0; i < sites; ++i) u[i] = (state >> i) % 2 == 1 ? 0.3 : -2.0;
    if (state % 97 == 0) {
      Vector spins(sites);
      target.constrain(u, spins);
      EXPECT_NEAR(target.evaluate(u).likelihood, beta * bonds(spins, size), 1e-12);
    }
    sum += std::exp(target.evaluate(u).likelihood);
  }
  return std::log(sum) - static_cast<double>(sites) * std::numbers::ln2;
}

TEST(Ising, KaufmansFormulaIsTheSumOverAllStates) {
  for (const Index size : {2, 3, 4})
    for (const double beta : {0.0, 0.1, 0.44, IsingOptions{}.beta, 0.9}) {
      if (size == 4 && beta != 0.44) continue;
      IsingTarget target({size, beta});
      EXPECT_NEAR(target.log_evidence(), evidence_by_enumeration(target, size, beta), 1e-10)
          << size << " at beta " << beta;
    }
}

TEST(Ising, EvidenceOfALargeLatticeIsOnsagers) {
  // log Z per site at the critical point: ½ log 2 + 2 G/π with Catalan's constant G; the finite lattice adds about
  // 0.64 in all.
  constexpr double kCatalan = 0.915965594177219015;
  const double onsager = 0.5 * std::numbers::ln2 + 2 * kCatalan / std::numbers::pi;
  const double sites = 200.0 * 200.0;
  const double found = IsingTarget({200, IsingOptions{}.beta}).log_evidence() + sites * std::numbers::ln2;
  EXPECT_NEAR(found / sites, onsager, 1 / sites);
  EXPECT_GT(found / sites, onsager);
}

TEST(Ising, SpinsGoThereAndBackAndNothingElseDoes) {
  IsingTarget target({2, 0.4});
  const Vector spins{1, -1, -1, 1};
  Vector u(4), back(4);
  target.unconstrain(spins, u);
  target.constrain(u, back);
  EXPECT_EQ(back, spins);
  EXPECT_THROW(target.unconstrain(Vector{1, 1, 0.5, 1}, u), Error);
}

TEST(Phi4, DensityIsTheSumOfTheAction) {
  for (const Index size : {2, 3, 5}) {
    Phi4Target target({size, 0.21, 0.7});
    const Vector phi = test::random_vector(static_cast<std::size_t>(size * size), 4);
    double action = -2 * 0.21 * bonds(phi, size);
    for (const double value : phi) action += value * value + 0.7 * std::pow(value * value - 1, 2);
    const LogDensity density = target.evaluate(phi);
    EXPECT_NEAR(density.reference + density.likelihood,
                -action - 0.5 * static_cast<double>(size * size) * std::log(std::numbers::pi), 1e-12);
  }
}

TEST(Phi4, FreeFieldHasTheEvidenceOfItsModes) {
  // Plane waves diagonalise the free action: each gives 1/√(1 − 2 κ (cos k_1 + cos k_2)), k = 0, π on two sites.
  const double hopping = 0.1;
  double expected = 0;
  for (const double one : {1.0, -1.0})
    for (const double other : {1.0, -1.0}) expected -= 0.5 * std::log(1 - 2 * hopping * (one + other));
  Phi4Target target({2, hopping, 0});
  const auto over = [](auto f) { return test::integral(f, -6, 6, 24); };
  const double total = over([&](double a) {
    return over([&](double b) {
      return over([&](double c) {
        return over([&](double d) {
          const LogDensity density = target.evaluate(Vector{a, b, c, d});
          return std::exp(density.reference + density.likelihood);
        });
      });
    });
  });
  EXPECT_NEAR(std::log(total), expected, 1e-8);
}

}  // namespace
}  // namespace tempera
