#pragma once

#include <span>

#include "core/base/large_memory.hpp"
#include "core/tensor/csf_tensor.hpp"
#include "core/tensor/factor_matrix.hpp"

namespace tempera {

/// A function φ(x, m) of a stored cell x and the CP model's value there, m = Σ_r Π of the factor rows. What log-likelihoods
/// are sums of; cells that are not stored are the caller's.
enum class CellFunction {
  residual,   ///< −½ (x − m)²
  counts,     ///< x log m − m
  logarithm,  ///< x log m
  product,    ///< x m
  square,     ///< ½ m²
  model       ///< m
};

/// Sums of such a function over the cells of a tree, and their derivatives by the rows of the mode at its root. One object a
/// thread: it keeps working memory, 8 bytes for each cell of the largest tree it has seen, for `product` and values alone
/// 8 rank bytes a root.
///
/// The bits depend on the tree and the factors only. A logarithm of a model value below 1e-290 makes the sum −∞ if the cell
/// is positive; derivatives then mean nothing. Cells x ≤ 0 have no logarithm.
///
/// @param factors  one a mode, of one number of columns; ids of the tree are their rows
/// Cost: values alone 2·rank operations a cell, with derivatives 4·rank, for `product` 2·rank; reads each index once for
/// each 32 columns, twice where the rank is above 32.
class CellSums {
 public:
  double value(const CsfTensor& tree, std::span<const FactorMatrix> factors, CellFunction function);
  /// The value, the same bits, and in `rows` Σ (∂φ/∂m) Π of the other modes' rows: rank numbers for each root of the tree,
  /// one after the other, overwritten.
  double with_gradient(const CsfTensor& tree, std::span<const FactorMatrix> factors, CellFunction function,
                       std::span<double> rows);

 private:
  LargeVector<double> models_;
  LargeVector<double> rows_;
};

}  // namespace tempera
