#pragma once

#include <span>
#include <vector>

#include "core/tensor/factor_matrix.hpp"

namespace tempera {

/// A few cells of a tensor by their local coordinates: those that a fit leaves out.
struct CellList {
  std::vector<std::vector<Index>> indices;  ///< one array a mode, local rows
  std::vector<double> values;

  Index size() const { return static_cast<Index>(values.size()); }
  void shrink_to_fit() {
    for (auto& mode : indices) mode.shrink_to_fit();
    values.shrink_to_fit();
  }
};

/// Σ_r weights[r] Π factors at every cell. Cost: order · rank a cell.
std::vector<double> model_values(const CellList& cells, std::span<const FactorMatrix> factors,
                                 std::span<const double> weights);

/// Adds to the rows of `result` the products of the other modes' rows at every cell, times its coefficient.
/// @param coefficients  one a cell
void add_mttkrp(const CellList& cells, std::span<const double> coefficients, std::span<const FactorMatrix> factors,
                int mode, FactorMatrix& result);

}  // namespace tempera
