#pragma once

#include <span>
#include <vector>

#include "core/factorization/normal_equations.hpp"
#include "core/tensor/gram.hpp"

namespace tempera {

/// What an update of a mode leaves to be added over all ranks.
struct RowSums {
  explicit RowSums(Index rank) : gram(rank), inner(static_cast<std::size_t>(rank)) {}
  GramMatrix gram;            ///< UᵀU
  std::vector<double> inner;  ///< of each column of the product with that of the factor
};

/// Rows whose sums are formed from zero before they are added to the others, in the order of the rows: so the bits do not
/// depend on the number of threads.
constexpr Index kSumRows = 4 * kRowTile;

/// Adds the rows [first, first + count) of a factor and of the product it came from, tile by tile.
/// Cost: count · rank · (rank + 1) multiply-adds. Memory: rank · (rank + 1) numbers a thread, eight times as many
/// up to a rank of some hundreds.
void add_row_sums(const FactorMatrix& product, const FactorMatrix& factor, Index first, Index count, RowSums& sums,
                  int threads = 1);

/// Solves the rows [first, first + count) of U H = M and adds their sums, tile by tile.
void solve_rows(const NormalEquations& equations, const FactorMatrix& product, FactorMatrix& factor, Index first,
                Index count, RowSums& sums, int threads = 1);

/// Multiplies every row by `scale`, column by column.
void scale_columns(FactorMatrix& rows, std::span<const double> scale, int threads = 1);

}  // namespace tempera
