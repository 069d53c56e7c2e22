#pragma once

#include <string>
#include <vector>

#include "core/tensor/dense_tensor.hpp"
#include "core/tensor/factor_matrix.hpp"
#include "core/tensor/sparse_tensor.hpp"

namespace tempera::bench {

/// A made-up sparse tensor: indices drawn independently in every mode, in shuffled labels.
struct SparseCase {
  std::string name;
  std::vector<Index> shape;
  Index nonzeros = 0;   ///< drawn; those that meet are one
  double exponent = 1;  ///< of the Zipf distribution of the indices; 0: uniform
};

/// The shapes that benchmarks of sparse kernels run over, all with this many nonzeros: orders 3, 4 and 5, and a
/// hypersparse one as long as there are nonzeros, whose fibres hold one each.
/// @param names  of them: "order3", "order4", "order5", "hypersparse", "flat" (a mode of 24 and one of 77)
/// @throws std::out_of_range for another name
SparseCase sparse_case(const std::string& name, Index nonzeros, double exponent);

/// Values uniform in [0, 1), or with `counts` whole numbers from 1 to 9.
SparseTensor generated(const SparseCase& what, bool counts = false);
DenseTensor generated_dense(const std::vector<Index>& shape);
/// Entries uniform in [0, 1).
FactorMatrix generated_matrix(Index rows, Index columns, Index key);
std::vector<FactorMatrix> generated_factors(const std::vector<Index>& shape, Index rank);

/// Largest |a − b| over the largest |a|.
double largest_difference(const FactorMatrix& a, const FactorMatrix& b);

/// "12000x9000x28000".
std::string shape_text(const std::vector<Index>& shape);

}  // namespace tempera::bench
