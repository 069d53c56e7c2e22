#include "core/factorization/row_least_squares.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tests/support/tensors.hpp"

namespace tempera {
namespace {

using testing::HasSubstr;

/// A row x ≈ K u over a few observations, and its sums as count_products gives them.
struct Row {
  FactorMatrix k;
  std::vector<double> x;
  std::vector<double> moments;

  Row(Index observations, Index rank, std::uint64_t seed) : k(test::random_matrix(observations, rank, seed)) {
    const FactorMatrix values = test::random_matrix(observations, 1, seed + 1000);
    for (Index i = 0; i < observations; ++i) x.push_back(values(i, 0));
    for (Index r = 0; r < rank; ++r) {
      moments.push_back(0);
      for (Index i = 0; i < observations; ++i) moments.back() += x[static_cast<std::size_t>(i)] * k(i, r);
    }
    for (Index r = 0; r < rank; ++r)
      for (Index s = 0; s <= r; ++s) {
        moments.push_back(0);
        for (Index i = 0; i < observations; ++i) moments.back() += k(i, r) * k(i, s);
      }
  }

  double model(Index i, const std::vector<double>& u, const std::vector<double>& w) const {
    double m = 0;
    for (std::size_t r = 0; r < u.size(); ++r) m += k(i, static_cast<Index>(r)) * u[r] * (w.empty() ? 1.0 : w[r]);
    return m;
  }
  /// ‖x − K diag(w) u‖² + l1 ‖u‖₁ + ridge ‖u‖², by the definition.
  double objective(const std::vector<double>& u, const Constraint& c, const std::vector<double>& w = {}) const {
    double sum = 0;
    for (Index i = 0; i < k.rows(); ++i) sum += std::pow(x[static_cast<std::size_t>(i)] - model(i, u, w), 2);
    for (const double value : u) sum += c.l1 * std::abs(value) + c.ridge * value * value;
    return sum;
  }
};

std::vector<double> solved(const Row& row, const Constraint& constraint, std::vector<double> u,
                           const std::vector<double>& w = {}, Solver solver = Solver::automatic, int calls = 1) {
  RowLeastSquares rows(std::ssize(u), constraint, solver);
  std::vector<double> dual(rows.uses_admm() ? u.size() : 0, 0.0);
  for (int call = 0; call < calls; ++call) rows.solve(row.moments, w, u, dual);
  return u;
}

/// No step along a coordinate or its opposite that stays allowed lowers the objective.
void expect_minimum(const Row& row, const Constraint& c, const std::vector<double>& u, const std::vector<double>& w,
                    double slack) {
  const double best = row.objective(u, c, w);
  for (std::size_t r = 0; r < u.size(); ++r)
    for (const double step : {1e-3, -1e-3, 1e-5, -1e-5}) {
      std::vector<double> moved = u;
      moved[r] = std::clamp(u[r] + step, c.lower, c.upper);
      EXPECT_GE(row.objective(moved, c, w), best - slack) << "component " << r << " step " << step;
    }
}

TEST(RowLeastSquares, MinimisesUnderEveryConstraintItTakes) {
  for (Index rank : {1, 2, 3, 6})
    for (std::uint64_t seed = 1; seed < 6; ++seed) {
      const Row row(12, rank, seed);
      const std::vector<double> start(static_cast<std::size_t>(rank), 0.1);
      std::vector<double> w(static_cast<std::size_t>(rank));
      for (std::size_t r = 0; r < w.size(); ++r) w[r] = 0.5 + static_cast<double>(r);
      for (const std::vector<double>& weights : {std::vector<double>(), w})
        for (const Constraint& c : {Constraint::none, Constraint{.ridge = 0.7}, Constraint::nonnegative,
                                    Constraint{.l1 = 0.3, .ridge = 0.2, .lower = 0}, Constraint{.l1 = 0.5},
                                    Constraint{.lower = -0.2, .upper = 0.3}}) {
          const bool iterative = !c.is_least_squares() && !c.is_nonnegative_least_squares();
          const std::vector<double> u = solved(row, c, start, weights, Solver::automatic, iterative ? 50 : 1);
          for (const double value : u) EXPECT_TRUE(value >= c.lower && value <= c.upper) << to_text(c);
          expect_minimum(row, c, u, weights, (iterative ? 1e-4 : 1e-13) * row.objective(u, c, weights));
          EXPECT_LE(row.objective(u, c, weights), row.objective(start, c, weights)) << to_text(c);
        }
    }
}

TEST(RowLeastSquares, AdmmFindsTheNonnegativeRowThatPivotingFinds) {
  const Row row(9, 4, 77);
  const std::vector<double> start(4, 0.1);
  const auto exact = solved(row, Constraint::nonnegative, start);
  const auto iterated = solved(row, Constraint::nonnegative, start, {}, Solver::admm, 100);
  for (std::size_t r = 0; r < 4; ++r) EXPECT_NEAR(exact[r], iterated[r], 1e-4);
}

TEST(RowLeastSquares, FewerObservationsThanComponentsAreFittedExactlyBySmallEntries) {
  const Row row(2, 5, 4);
  RowLeastSquares rows(5, Constraint::none, Solver::automatic);
  std::vector<double> u(5, 3.0);
  rows.solve(row.moments, {}, u, {});
  EXPECT_NE(rows.method(), NormalEquations::Method::cholesky);
  EXPECT_LE(row.objective(u, {}), 1e-12);
  // The smallest such row lies in the span of the observations: u = Kᵀ a.
  double norm = 0;
  for (const double value : u) norm += value * value;
  EXPECT_LE(norm, 100.0);
  rows.solve(std::vector<double>(20, 0.0), {}, u, {});
  EXPECT_EQ(u, std::vector<double>(5, 0.0)) << "a row without observations";
}

TEST(RowLeastSquares, WhatCouplesRowsOrFillsEmptyOnesIsRefusedWithTheReason) {
  const auto reason = [](const Constraint& c, Solver solver = Solver::automatic) {
    return RowLeastSquares::why_not(c, solver).value_or("");
  };
  EXPECT_THAT(reason({.smooth = 1}), HasSubstr("couples them"));
  EXPECT_THAT(reason({.shape = Constraint::Shape::monotone}), HasSubstr("couples them"));
  EXPECT_THAT(reason({.orthogonal = true}), HasSubstr("couples them"));
  EXPECT_THAT(reason({.norm_bounded = true}), HasSubstr("couples them"));
  EXPECT_THAT(reason({.lower = 1, .upper = 2}), HasSubstr("are zero"));
  EXPECT_THAT(reason({.simplex = Constraint::Simplex::rows}), HasSubstr("are zero"));
  EXPECT_THAT(reason(Constraint::nonnegative, Solver::hals), HasSubstr("one Gram matrix"));
  EXPECT_EQ(reason(Constraint::nonnegative, Solver::bpp), "");
}

}  // namespace
}  // namespace tempera
