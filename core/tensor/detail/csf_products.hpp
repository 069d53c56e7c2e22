#pragma once

#include <span>

#include "core/tensor/csf_tensor.hpp"
#include "core/tensor/factor_matrix.hpp"

namespace tempera::detail {

/// products(c, :) = Σ over the nonzeros below node c of level 1 of the value times the factor rows of the levels below, for
/// every node of level 1: what the MTTKRPs of the tree's first two modes have in common.
/// The bits do not depend on the number of threads. Cost: that of an MTTKRP of the root.
/// @pre order ≥ 3, merged_levels() ≥ 2, products has nodes(1) rows
void fibre_products(const CsfTensor& tensor, std::span<const FactorMatrix> factors, FactorMatrix& products,
                    int threads);

}  // namespace tempera::detail
