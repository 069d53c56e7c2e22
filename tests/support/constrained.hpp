#pragma once

#include <cstdint>
#include <vector>

#include "core/factorization/constraint.hpp"
#include "core/tensor/dense_tensor.hpp"
#include "core/tensor/gram.hpp"
#include "core/tensor/kruskal_tensor.hpp"

namespace tempera::test {

std::vector<double> column_of(const FactorMatrix& matrix, Index r);

/// One mode's problem with everything that lies outside it folded into H and M.
struct Subproblem {
  GramMatrix h;
  FactorMatrix m;
  FactorMatrix u;
};

/// The mode as its last update saw it: the weights belong to it if its constraint is a cone, else to the other modes.
Subproblem subproblem(const DenseTensor& tensor, const KruskalTensor& model, const Constraint& constraint, int mode);

/// How far the Karush–Kuhn–Tucker conditions are from holding, relative. For orthogonal columns: UᵀM is symmetric. For
/// the rest: a proximal gradient step does not move U (the operators are checked against oracles of their own).
double kkt_residual(const Subproblem& problem, const Constraint& constraint);

/// Largest step to the allowed set.
double infeasibility(const FactorMatrix& factor, const Constraint& constraint);

/// A factor that satisfies the constraint, with components that are easy to tell apart.
FactorMatrix allowed_factor(Index rows, Index rank, const Constraint& constraint, std::uint64_t seed);

}  // namespace tempera::test
