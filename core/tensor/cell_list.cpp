#include "core/tensor/cell_list.hpp"

#include <algorithm>

#include "core/base/contract.hpp"

namespace tempera {

namespace {

/// product[r] *= Π over the modes but `skip` of the factor rows of a cell.
void multiply_rows(const CellList& cells, std::size_t cell, std::span<const FactorMatrix> factors, int skip,
                   std::span<double> product) {
  for (std::size_t mode = 0; mode < factors.size(); ++mode) {
    if (static_cast<int>(mode) == skip) continue;
    const double* row = factors[mode].row(cells.indices[mode][cell]);
    for (std::size_t r = 0; r < product.size(); ++r) product[r] *= row[r];
  }
}

}  // namespace

std::vector<double> model_values(const CellList& cells, std::span<const FactorMatrix> factors,
                                 std::span<const double> weights) {
  std::vector<double> result(cells.values.size()), product(weights.size());
  for (std::size_t cell = 0; cell < result.size(); ++cell) {
    std::copy(weights.begin(), weights.end(), product.begin());
    multiply_rows(cells, cell, factors, -1, product);
    for (double value : product) result[cell] += value;
  }
  return result;
}

void add_mttkrp(const CellList& cells, std::span<const double> coefficients, std::span<const FactorMatrix> factors,
                int mode, FactorMatrix& result) {
  TEMPERA_EXPECTS(coefficients.size() == cells.values.size());
  std::vector<double> product(static_cast<std::size_t>(factors.front().columns()));
  for (std::size_t cell = 0; cell < coefficients.size(); ++cell) {
    std::fill(product.begin(), product.end(), coefficients[cell]);
    multiply_rows(cells, cell, factors, mode, product);
    double* row = result.row(cells.indices[static_cast<std::size_t>(mode)][cell]);
    for (std::size_t r = 0; r < product.size(); ++r) row[r] += product[r];
  }
}

}  // namespace tempera
