#include "distributed/linalg/cholesky.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "distributed/linalg/detail/call.hpp"
#include "distributed/linalg/detail/scalapack.hpp"
#include "distributed/linalg/products.hpp"
#include "distributed/linalg/redistribution.hpp"

namespace tempera {

using detail::call_on_grid;
using detail::kOne;

namespace {

void check_square(const BlockCyclicMatrix& matrix) {
  if (matrix.rows() != matrix.columns())
    throw Error(Category::shape, "Cholesky",
                fmt::format("a matrix of {} x {} is not symmetric", matrix.rows(), matrix.columns()));
}

/// Order of the first leading minor whose pivot is no number; PDPOTRF goes on with a NaN, as it is not ≤ 0.
Index first_undefined_pivot(const BlockCyclicMatrix& factor) {
  const std::vector<double> pivots = diagonal(factor);
  const auto bad = std::ranges::find_if(pivots, [](double pivot) { return !std::isfinite(pivot); });
  return bad == pivots.end() ? 0 : bad - pivots.begin() + 1;
}

}  // namespace

Index cholesky(BlockCyclicMatrix& matrix) {
  check_square(matrix);
  const auto n = static_cast<int>(matrix.rows());
  if (n == 0) return 0;
  const Index refused = call_on_grid(matrix.grid(), "PDPOTRF", [&](int& info) {
    pdpotrf_("L", &n, matrix.data(), &kOne, &kOne, matrix.descriptor(), &info);
  });
  const Index undefined = first_undefined_pivot(matrix);
  if (refused == 0 || undefined == 0) return std::max(refused, undefined);
  return std::min(refused, undefined);
}

double log_determinant(const BlockCyclicMatrix& factor) {
  check_square(factor);
  double sum = 0;
  for (const double pivot : diagonal(factor)) sum += std::log(pivot);
  // One rank's value for all: nodes with different processors may round a logarithm differently.
  return factor.grid().all().broadcast_value(2 * sum, 0);
}

void cholesky_solve(const BlockCyclicMatrix& factor, BlockCyclicMatrix& x) {
  solve_lower(factor, Transpose::no, Side::left, x);
  solve_lower(factor, Transpose::yes, Side::left, x);
}

void cholesky_inverse(BlockCyclicMatrix& factor) {
  check_square(factor);
  const auto n = static_cast<int>(factor.rows());
  if (n == 0) return;
  const int zero_pivot = call_on_grid(factor.grid(), "PDPOTRI", [&](int& info) {
    pdpotri_("L", &n, factor.data(), &kOne, &kOne, factor.descriptor(), &info);
  });
  if (zero_pivot > 0)
    throw Error(Category::numerical, "inverse",
                fmt::format("entry {} on the diagonal of the factor is zero", zero_pivot));
}

Index append_rows(BlockCyclicMatrix& factor, const BlockCyclicMatrix& rows) {
  check_square(factor);
  const Index n = factor.rows();
  const Index added = rows.rows();
  if (rows.columns() != n + added)
    throw Error(Category::shape, "Cholesky",
                fmt::format("{} rows of {} entries do not border a matrix of order {}", added, rows.columns(), n));
  if (added == 0) return 0;
  BlockCyclicMatrix border = rows;
  solve_lower(factor, Transpose::yes, Side::right, border);
  BlockCyclicMatrix corner(factor.grid(), added, added, factor.block());
  copy_part(border, {0, n}, added, added, corner, {});
  border.resize(added, n);
  multiply_by_own_transpose(-1, border, 1, corner);
  if (const Index failed = cholesky(corner); failed > 0) return n + failed;
  factor.resize(n + added, n + added);
  copy_part(border, {}, added, n, factor, {n, 0});
  copy_part(corner, {}, added, added, factor, {n, n});
  return 0;
}

}  // namespace tempera
