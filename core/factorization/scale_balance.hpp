#pragma once

#include <limits>
#include <span>
#include <vector>

#include "core/factorization/constraint.hpp"

namespace tempera {

/// What one column of a factor costs when it is scaled by c > 0: linear·c + quadratic·c², allowed for least ≤ c ≤ most.
struct ScaleCost {
  double linear = 0;
  double quadratic = 0;
  double least = 0;
  double most = std::numeric_limits<double>::infinity();

  double at(double c) const { return (linear + quadratic * c) * c; }
};

/// Figures of one column u that its cost is made of.
struct ColumnFigures {
  double absolute = 0;   ///< ‖u‖₁
  double squared = 0;    ///< ‖u‖²
  double roughness = 0;  ///< ‖Du‖²
  double reach = 0;      ///< largest share of its bound that an entry takes: c ≤ 1/reach stays in the box
  double need = 0;       ///< c ≥ need stays above a positive lower bound (below a negative upper one)
};

/// Penalties of the column, and how far the constraint lets it be scaled: not at all where it lies on a simplex or is
/// orthogonal.
ScaleCost scale_cost(const Constraint& constraint, const ColumnFigures& column);

/// reach and need of the entry u ≠ 0 of a column, added to `column`.
void note_bounds(const Constraint& constraint, double u, ColumnFigures& column);

/// The same component of all modes: the scales c_n > 0 with Π c_n = 1 of least total cost. The product of the columns, and
/// so the model, stays as it is. With t_n = ln c_n the cost is convex and the side condition linear: at the optimum all
/// modes that are not at a bound have the same derivative ν = linear·c + 2·quadratic·c², and ν is found by a Newton
/// iteration kept in a bracket.
///
/// Returns all ones where there is nothing to gain or no least cost is attained (a mode grows for nothing).
/// @pre least ≤ 1 ≤ most for every mode
/// Cost: a few evaluations a mode.
std::vector<double> balanced_scales(std::span<const ScaleCost> modes);

}  // namespace tempera
