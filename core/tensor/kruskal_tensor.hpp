#pragma once

#include <vector>

#include "core/tensor/factor_matrix.hpp"

namespace tempera {

/// CP model: the sum over components r of weights[r] times the outer product of the r-th columns of the factors.
/// Normal form: columns of unit 2-norm, weights in decreasing order; in each component the entry of largest magnitude
/// of modes 0 … order − 2 is positive (the sign sits in the last mode).
struct KruskalTensor {
  std::vector<double> weights;        ///< one a component
  std::vector<FactorMatrix> factors;  ///< factors[n] is shape[n] × rank

  int order() const { return static_cast<int>(factors.size()); }
  Index rank() const { return static_cast<Index>(weights.size()); }
  std::vector<Index> shape() const;

  /// Value of one cell. Cost: order · rank.
  double operator()(std::span<const Index> coordinates) const;
};

}  // namespace tempera
