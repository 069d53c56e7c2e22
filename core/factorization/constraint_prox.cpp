#include "core/factorization/constraint_prox.hpp"

#include <algorithm>

#include "core/base/contract.hpp"
#include "core/linalg/prox.hpp"

namespace tempera {

namespace {

/// Half of l1, as half of the whole objective is minimised. On nonnegative entries it is linear: a shift, after which
/// any projection is exact; else soft thresholding, which bounds and the ball may follow.
void apply_l1(const Constraint& constraint, std::span<double> x, double rho) {
  const double threshold = 0.5 * constraint.l1 / rho;
  if (threshold == 0) return;
  if (constraint.is_nonnegative())
    for (double& value : x) value -= threshold;
  else
    soft_threshold(x, threshold);
}

}  // namespace

void prox_row(const Constraint& constraint, std::span<double> row, double rho) {
  TEMPERA_EXPECTS(!constraint.couples_rows() && !constraint.orthogonal);
  apply_l1(constraint, row, rho);
  if (constraint.simplex == Constraint::Simplex::rows)
    project_simplex(row, std::max(0.0, constraint.lower), constraint.upper);
  else
    clip(row, constraint.lower, constraint.upper);
}

void prox_column(const Constraint& constraint, std::span<double> column, double rho) {
  TEMPERA_EXPECTS(constraint.couples_rows());
  apply_l1(constraint, column, rho);
  if (constraint.simplex == Constraint::Simplex::columns)
    project_simplex(column, std::max(0.0, constraint.lower), constraint.upper);
  else if (constraint.smooth > 0 && constraint.is_nonnegative())
    smooth_nonnegative(column, constraint.smooth / rho);
  else if (constraint.smooth > 0)
    smooth(column, constraint.smooth / rho);
  else if (constraint.shape == Constraint::Shape::monotone)
    project_monotone(column, constraint.lower, constraint.upper);
  else if (constraint.shape == Constraint::Shape::unimodal)
    project_unimodal(column, constraint.lower, constraint.upper);
  else
    clip(column, constraint.lower, constraint.upper);
  // Exact after a cone, and after soft thresholding (l1 is homogeneous).
  if (constraint.norm_bounded) project_ball(column);
}

}  // namespace tempera
