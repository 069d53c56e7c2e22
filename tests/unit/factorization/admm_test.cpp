#include "core/factorization/admm.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "core/factorization/bpp.hpp"
#include "core/factorization/constraint_prox.hpp"
#include "core/linalg/prox.hpp"
#include "tests/support/tensors.hpp"

namespace tempera {
namespace {

std::vector<double> column_of(const FactorMatrix& matrix, Index r) {
  std::vector<double> column;
  for (Index i = 0; i < matrix.rows(); ++i) column.push_back(matrix(i, r));
  return column;
}

/// One proximal step on the whole matrix.
void prox(const Constraint& constraint, FactorMatrix& rows, double rho) {
  if (!constraint.couples_rows()) {
    for (Index i = 0; i < rows.rows(); ++i)
      prox_row(constraint, {rows.row(i), static_cast<std::size_t>(rows.columns())}, rho);
    return;
  }
  for (Index r = 0; r < rows.columns(); ++r) {
    auto column = column_of(rows, r);
    prox_column(constraint, column, rho);
    for (Index i = 0; i < rows.rows(); ++i) rows(i, r) = column[static_cast<std::size_t>(i)];
  }
}

/// Distance that a proximal gradient step moves the solution: zero exactly where the optimality conditions hold.
double stationarity(const GramMatrix& h, const FactorMatrix& m, const Constraint& constraint, const FactorMatrix& z) {
  double trace = 0;
  for (Index r = 0; r < h.rank; ++r) trace += h(r, r);
  FactorMatrix step = z;
  for (Index i = 0; i < z.rows(); ++i)
    for (Index r = 0; r < h.rank; ++r) {
      double gradient = -m(i, r);
      for (Index s = 0; s < h.rank; ++s) gradient += z(i, s) * h(s, r);
      step(i, r) -= gradient / trace;
    }
  prox(constraint, step, trace);
  return test::relative_difference(z, step);
}

double half_smooth(const Constraint& constraint, const FactorMatrix& rows) {
  double sum = 0;
  for (Index r = 0; r < rows.columns(); ++r) sum += 0.5 * constraint.smooth * roughness(column_of(rows, r));
  return sum;
}

double objective(const GramMatrix& h, const FactorMatrix& m, const Constraint& constraint, const FactorMatrix& z) {
  double value = half_smooth(constraint, z);
  for (Index i = 0; i < z.rows(); ++i)
    for (Index r = 0; r < h.rank; ++r) {
      value += 0.5 * constraint.l1 * std::abs(z(i, r)) - m(i, r) * z(i, r);
      for (Index s = 0; s < h.rank; ++s) value += 0.5 * z(i, r) * h(r, s) * z(i, s);
    }
  return value;
}

// Warm-started calls reach a point where every optimality condition holds, and never go up on the way.
TEST(Admm, DescendsToTheOptimumUnderEveryConstraint) {
  const std::vector<std::vector<std::string>> combinations{{"nonnegative"},
                                                           {"l1:3"},
                                                           {"nonnegative", "l1:3"},
                                                           {"box:-0.1,0.2"},
                                                           {"row-simplex"},
                                                           {"row-simplex", "box:0.05,0.6"},
                                                           {"column-simplex"},
                                                           {"smooth:5"},
                                                           {"smooth:5", "nonnegative"},
                                                           {"monotone"},
                                                           {"monotone", "nonnegative"},
                                                           {"norm"},
                                                           {"norm", "nonnegative", "l1:3"},
                                                           {"norm", "monotone"}};
  for (const auto& texts : combinations) {
    const Constraint constraint = parse_constraints(texts, 1).front();
    const FactorMatrix k = test::random_matrix(25, 4, 3);
    const GramMatrix h = gram(k, 0, k.rows());
    FactorMatrix m = test::random_matrix(12, 4, 4), z(12, 4), dual(12, 4);
    for (double& value : m.storage()) value *= 8;
    prox(constraint.without_penalties() == Constraint() ? Constraint::nonnegative : constraint.without_penalties(), z,
         1);
    double previous = objective(h, m, constraint, z);
    const ColumnWork work{[&](FactorMatrix& rows, double rho) {
                            prox(constraint, rows, rho);
                            return half_smooth(constraint, rows);
                          },
                          [&](const FactorMatrix& rows) { return half_smooth(constraint, rows); },
                          [](std::span<double>) {}};
    for (int call = 0; call < 150; ++call) {
      if (constraint.couples_rows())
        admm_columns(h, m, constraint, work, z, dual);
      else
        admm_rows(h, m, constraint, z, dual);
      const double now = objective(h, m, constraint, z);
      EXPECT_LE(now, previous + 1e-11) << to_text(constraint) << " call " << call;
      previous = now;
    }
    EXPECT_LE(stationarity(h, m, constraint, z), 1e-9) << to_text(constraint);
    if (constraint == Constraint::nonnegative) {
      FactorMatrix exact(12, 4);
      bpp_update(h, m, exact, 0, 12);
      EXPECT_LE(test::relative_difference(exact, z), 1e-9);
    }
  }
}

// The same rows alone or among others, with their duals.
TEST(Admm, ARowDependsOnNothingButItself) {
  const FactorMatrix k = test::random_matrix(25, 3, 3);
  const GramMatrix h = gram(k, 0, k.rows());
  const FactorMatrix m = test::random_matrix(9, 3, 4);
  FactorMatrix all(9, 3), dual(9, 3);
  admm_rows(h, m, Constraint::nonnegative, all, dual);
  for (Index i = 0; i < 9; ++i) {
    FactorMatrix target(1, 3), one(1, 3), own(1, 3);
    std::copy_n(m.row(i), 3, target.row(0));
    admm_rows(h, target, Constraint::nonnegative, one, own);
    for (Index r = 0; r < 3; ++r) {
      EXPECT_EQ(one(0, r), all(i, r));
      EXPECT_EQ(own(0, r), dual(i, r));
    }
  }
}

TEST(Admm, LeavesAModeWithoutCurvatureAsItIs) {
  const FactorMatrix m = test::random_matrix(2, 2, 1);
  FactorMatrix z(2, 2), dual(2, 2);
  z(0, 0) = 0.5;
  admm_rows(GramMatrix(2), m, Constraint::nonnegative, z, dual);
  EXPECT_EQ(z(0, 0), 0.5);
}

// Several pieces of rows, the last incomplete; a second call goes on from the duals of the first.
TEST(Admm, BitsDoNotDependOnTheNumberOfThreads) {
  const Index rank = 5, rows = 1501;
  const FactorMatrix k = test::random_matrix(25, rank, 3);
  const GramMatrix h = gram(k, 0, k.rows());
  FactorMatrix m = test::random_matrix(rows, rank, 4);
  for (double& value : m.storage()) value *= 8;
  for (const char* text : {"nonnegative", "row-simplex", "smooth:5", "norm"}) {
    const Constraint constraint = parse_constraints(std::vector<std::string>{text}, 1).front();
    std::vector<double> sums;  // that the ranks would have added
    const ColumnWork work{[&](FactorMatrix& all, double rho) {
                            prox(constraint, all, rho);
                            return half_smooth(constraint, all);
                          },
                          [&](const FactorMatrix& all) { return half_smooth(constraint, all); },
                          [&](std::span<double> values) { sums.insert(sums.end(), values.begin(), values.end()); }};
    std::vector<double> first;
    for (const int threads : {1, 2, 3, 5}) {
      FactorMatrix z(rows, rank), dual(rows, rank);
      sums.clear();
      for (int call = 0; call < 2; ++call) {
        if (constraint.couples_rows())
          admm_columns(h, m, constraint, work, z, dual, threads);
        else
          admm_rows(h, m, constraint, z, dual, threads);
      }
      std::vector<double> found = sums;
      for (const FactorMatrix* matrix : {&z, &dual})
        found.insert(found.end(), matrix->storage().begin(), matrix->storage().end());
      if (first.empty()) first = found;
      EXPECT_TRUE(found == first) << text << ", " << threads << " threads";
    }
  }
}

}  // namespace
}  // namespace tempera
