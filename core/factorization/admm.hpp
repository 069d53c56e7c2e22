#pragma once

#include <functional>
#include <span>

#include "core/factorization/constraint.hpp"
#include "core/tensor/gram.hpp"

namespace tempera {

/// One mode's subproblem by the alternating direction method of multipliers:
///   min ½ tr(Z H Zᵀ) − ⟨M, Z⟩ + g(Z),  g the constraint with half its penalties,
/// split into U = Z. With ρ = trace(H)/rank the steps are
///   U ← (M + ρ(Z − Y))(H + ρI)⁻¹,  Z ← prox(U + Y),  Y ← Y + U − Z.
/// Z is what counts: it lies in the set. H + ρI has a condition number of at most rank + 1, so it is factored and
/// inverted once. Iterations end when both residuals are small against what they are differences of and the objective
/// is not above where it began, after kAdmmIterations at the latest; a Z that would raise the objective is dropped, so
/// that whole sweeps descend.
///
/// @param h     ridge included, as 2·½ on its diagonal
/// @param m     right-hand sides
/// @param z     allowed rows in, better ones out
/// @param dual  ρY, in the units of the gradient: with z the warm start of the next call, so part of a run's state
/// Huang, Sidiropoulos & Liavas 2016.
constexpr int kAdmmIterations = 60;
constexpr double kAdmmTolerance = 1e-3;  ///< of both residuals

/// For constraints that do not couple rows: each row has its own iterations and depends on nothing but itself,
/// whatever `threads` is.
/// Cost: 2·rank² multiply-adds a row and iteration.
void admm_rows(const GramMatrix& h, const FactorMatrix& m, const Constraint& constraint, FactorMatrix& z,
               FactorMatrix& dual, int threads = 1);

/// What a matrix whose rows lie on several processes needs from them.
struct ColumnWork {
  /// Replaces the rows by those of the proximal step with this ρ and returns ½ smooth ‖DZ‖² of all columns; collective.
  std::function<double(FactorMatrix& rows, double rho)> prox;
  /// ½ smooth ‖DZ‖² of all columns; collective.
  std::function<double(const FactorMatrix& rows)> penalty;
  /// Adds over all processes.
  std::function<void(std::span<double>)> sum;
};

/// For constraints that couple the rows. All rows iterate together; what is summed over them is so by pieces of a fixed
/// number of rows, whatever `threads` is. Returns the iterations.
int admm_columns(const GramMatrix& h, const FactorMatrix& m, const Constraint& constraint, const ColumnWork& work,
                 FactorMatrix& z, FactorMatrix& dual, int threads = 1);

}  // namespace tempera
