#pragma once

#include <span>

#include "core/factorization/constraint.hpp"

namespace tempera {

/// The proximal step of a constraint that does not couple rows: row becomes the z that minimises
/// ½ l1 ‖z‖₁ + ½ rho ‖z − row‖² over the allowed rows. Ridge is no part of it (it joins the normal equations).
/// @pre !constraint.couples_rows() && !constraint.orthogonal
void prox_row(const Constraint& constraint, std::span<double> row, double rho);

/// The same for a whole column, with ½ smooth ‖Dz‖² in place of what a row cannot see. Columns are independent.
/// @pre constraint.couples_rows()
void prox_column(const Constraint& constraint, std::span<double> column, double rho);

}  // namespace tempera
