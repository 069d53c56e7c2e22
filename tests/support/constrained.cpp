#include "tests/support/constrained.hpp"

#include <algorithm>
#include <cmath>

#include "core/factorization/constraint_prox.hpp"
#include "core/linalg/prox.hpp"
#include "tests/support/tensors.hpp"

namespace tempera::test {

namespace {

void set_column(FactorMatrix& matrix, Index r, const std::vector<double>& column) {
  for (Index i = 0; i < matrix.rows(); ++i) matrix(i, r) = column[static_cast<std::size_t>(i)];
}

/// The proximal step on a whole factor.
void prox(const Constraint& constraint, FactorMatrix& rows, double rho) {
  for (Index i = 0; !constraint.couples_rows() && i < rows.rows(); ++i)
    prox_row(constraint, {rows.row(i), static_cast<std::size_t>(rows.columns())}, rho);
  for (Index r = 0; constraint.couples_rows() && r < rows.columns(); ++r) {
    auto column = column_of(rows, r);
    prox_column(constraint, column, rho);
    set_column(rows, r, column);
  }
}

}  // namespace

std::vector<double> column_of(const FactorMatrix& matrix, Index r) {
  std::vector<double> column;
  for (Index i = 0; i < matrix.rows(); ++i) column.push_back(matrix(i, r));
  return column;
}

Subproblem subproblem(const DenseTensor& tensor, const KruskalTensor& model, const Constraint& constraint, int mode) {
  std::vector<GramMatrix> grams;
  for (const auto& factor : model.factors) grams.push_back(gram(factor, 0, factor.rows()));
  Subproblem problem{hadamard(grams, mode), brute_force_mttkrp(tensor, model.factors, mode),
                     model.factors[static_cast<std::size_t>(mode)]};
  for (Index r = 0; r < model.rank(); ++r) {
    const double weight = model.weights[static_cast<std::size_t>(r)];
    for (Index i = 0; i < problem.u.rows(); ++i) (constraint.is_cone() ? problem.u : problem.m)(i, r) *= weight;
    for (Index s = 0; !constraint.is_cone() && s < model.rank(); ++s)
      problem.h(r, s) *= weight * model.weights[static_cast<std::size_t>(s)];
  }
  for (Index r = 0; r < model.rank(); ++r) problem.h(r, r) += constraint.ridge;
  return problem;
}

double kkt_residual(const Subproblem& problem, const Constraint& constraint) {
  const Index rank = problem.h.rank;
  if (constraint.orthogonal) {
    double asymmetry = 0, size = 0;
    for (Index r = 0; r < rank; ++r)
      for (Index s = 0; s < rank; ++s) {
        double one = 0, other = 0;
        for (Index i = 0; i < problem.u.rows(); ++i) {
          one += problem.u(i, r) * problem.m(i, s);
          other += problem.u(i, s) * problem.m(i, r);
        }
        asymmetry = std::max(asymmetry, std::abs(one - other));
        size = std::max(size, std::abs(one));
      }
    return asymmetry / size;
  }
  double trace = 0;
  for (Index r = 0; r < rank; ++r) trace += problem.h(r, r);
  FactorMatrix step = problem.u;
  for (Index i = 0; i < step.rows(); ++i)
    for (Index r = 0; r < rank; ++r) {
      double gradient = -problem.m(i, r);
      for (Index s = 0; s < rank; ++s) gradient += problem.u(i, s) * problem.h(s, r);
      step(i, r) -= gradient / trace;
    }
  if (!constraint.is_least_squares()) prox(constraint, step, trace);
  return relative_difference(problem.u, step);
}

double infeasibility(const FactorMatrix& factor, const Constraint& constraint) {
  if (constraint.orthogonal) {
    const GramMatrix own = gram(factor, 0, factor.rows());
    double worst = 0;
    for (Index r = 0; r < own.rank; ++r)
      for (Index s = 0; s < own.rank; ++s) worst = std::max(worst, std::abs(own(r, s) - (r == s ? 1 : 0)));
    return worst;
  }
  if (constraint.without_penalties() == Constraint()) return 0;
  FactorMatrix nearest = factor;
  prox(constraint.without_penalties(), nearest, 1);
  return relative_difference(factor, nearest);
}

FactorMatrix allowed_factor(Index rows, Index rank, const Constraint& constraint, std::uint64_t seed) {
  FactorMatrix factor = random_matrix(rows, rank, seed);
  for (Index i = 0; i < rows; ++i)
    for (Index r = 0; r < rank; ++r) {
      const double peak = (static_cast<double>(r) + 0.4) / static_cast<double>(rank) * static_cast<double>(rows);
      const double bump = std::exp(-std::pow((static_cast<double>(i) - peak) / (0.25 * static_cast<double>(rows)), 2));
      if (constraint.shape == Constraint::Shape::monotone)
        factor(i, r) = static_cast<double>(i) > peak ? 1 : 0;
      else if (constraint.shape == Constraint::Shape::unimodal || constraint.smooth > 0)
        factor(i, r) = bump;
      else if (constraint.is_nonnegative() || constraint.l1 > 0)
        factor(i, r) = i % rank == r || factor(i, r) > 0.8 ? std::abs(factor(i, r)) + 0.3 : 0;
    }
  if (constraint.orthogonal) {  // Gram–Schmidt
    for (Index r = 0; r < rank; ++r) {
      for (Index s = 0; s < r; ++s) {
        double product = 0;
        for (Index i = 0; i < rows; ++i) product += factor(i, r) * factor(i, s);
        for (Index i = 0; i < rows; ++i) factor(i, r) -= product * factor(i, s);
      }
      double norm = 0;
      for (Index i = 0; i < rows; ++i) norm += factor(i, r) * factor(i, r);
      for (Index i = 0; i < rows; ++i) factor(i, r) /= std::sqrt(norm);
    }
  } else if (constraint.without_penalties() != Constraint()) {
    prox(constraint.without_penalties(), factor, 1);
  }
  return factor;
}

}  // namespace tempera::test
