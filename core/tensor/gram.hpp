#pragma once

#include <span>
#include <vector>

#include "core/tensor/factor_matrix.hpp"

namespace tempera {

/// Symmetric rank × rank matrix, column-major, both triangles stored.
struct GramMatrix {
  GramMatrix() = default;
  explicit GramMatrix(Index size) : rank(size), values(static_cast<std::size_t>(size * size)) {}
  double& operator()(Index i, Index j) { return values[static_cast<std::size_t>(j * rank + i)]; }
  double operator()(Index i, Index j) const { return values[static_cast<std::size_t>(j * rank + i)]; }

  Index rank = 0;
  std::vector<double> values;
};

/// UᵀU over the rows [first, first + count). Cost: count · rank² multiply-adds.
GramMatrix gram(const FactorMatrix& factor, Index first, Index count);

/// Element-wise product of all Grams but `skip` (−1: of all): H_n, the matrix of the normal equations of mode n.
GramMatrix hadamard(std::span<const GramMatrix> grams, int skip);

}  // namespace tempera
