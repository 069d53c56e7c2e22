#include "distributed/linalg/products.hpp"

#include <fmt/format.h>

#include "distributed/linalg/detail/call.hpp"
#include "distributed/linalg/detail/scalapack.hpp"

namespace tempera {

using detail::call_on_grid;
using detail::kOne;

namespace {

void check_fit(bool fits, const char* operation, const BlockCyclicMatrix& a, const BlockCyclicMatrix& b) {
  if (fits && a.grid().context() == b.grid().context() && a.grid().shape() == b.grid().shape() &&
      a.block() == b.block())
    return;
  throw Error(Category::shape, operation,
              fmt::format("{} x {} in blocks of {} and {} x {} in blocks of {} do not fit each other", a.rows(),
                          a.columns(), a.block(), b.rows(), b.columns(), b.block()));
}

Index rows_of(const BlockCyclicMatrix& a, Transpose op) {
  return op == Transpose::no ? a.rows() : a.columns();
}
Index columns_of(const BlockCyclicMatrix& a, Transpose op) {
  return op == Transpose::no ? a.columns() : a.rows();
}
const char* letter(Transpose op) {
  return op == Transpose::no ? "N" : "T";
}

}  // namespace

void multiply(double alpha, const BlockCyclicMatrix& a, Transpose a_op, const BlockCyclicMatrix& b, Transpose b_op,
              double beta, BlockCyclicMatrix& result) {
  check_fit(columns_of(a, a_op) == rows_of(b, b_op), "product", a, b);
  check_fit(rows_of(a, a_op) == result.rows(), "product", a, result);
  check_fit(columns_of(b, b_op) == result.columns(), "product", b, result);
  const auto m = static_cast<int>(result.rows());
  const auto n = static_cast<int>(result.columns());
  const auto k = static_cast<int>(columns_of(a, a_op));
  if (m == 0 || n == 0) return;
  if (k == 0) {
    for (Index j = 0; j < result.local_columns(); ++j)
      for (Index i = 0; i < result.local_rows(); ++i) result.local(i, j) = beta == 0 ? 0 : beta * result.local(i, j);
    return;
  }
  call_on_grid(result.grid(), "PDGEMM", [&](int&) {
    pdgemm_(letter(a_op), letter(b_op), &m, &n, &k, &alpha, a.data(), &kOne, &kOne, a.descriptor(), b.data(), &kOne,
            &kOne, b.descriptor(), &beta, result.data(), &kOne, &kOne, result.descriptor());
  });
}

void multiply_by_own_transpose(double alpha, const BlockCyclicMatrix& a, double beta, BlockCyclicMatrix& result) {
  check_fit(a.rows() == result.rows() && result.rows() == result.columns(), "product", a, result);
  const auto n = static_cast<int>(a.rows());
  const auto k = static_cast<int>(a.columns());
  if (n == 0) return;
  call_on_grid(result.grid(), "PDSYRK", [&](int&) {
    pdsyrk_("L", "N", &n, &k, &alpha, a.data(), &kOne, &kOne, a.descriptor(), &beta, result.data(), &kOne, &kOne,
            result.descriptor());
  });
}

void solve_lower(const BlockCyclicMatrix& triangle, Transpose op, Side side, BlockCyclicMatrix& x) {
  const bool left = side == Side::left;
  check_fit(
      triangle.rows() == triangle.columns() && (left ? x.rows() == triangle.rows() : x.columns() >= triangle.columns()),
      "triangular solve", triangle, x);
  const auto m = static_cast<int>(x.rows());
  const auto n = static_cast<int>(left ? x.columns() : triangle.columns());
  if (m == 0 || n == 0) return;
  const double one = 1;
  call_on_grid(x.grid(), "PDTRSM", [&](int&) {
    pdtrsm_(left ? "L" : "R", "L", letter(op), "N", &m, &n, &one, triangle.data(), &kOne, &kOne, triangle.descriptor(),
            x.data(), &kOne, &kOne, x.descriptor());
  });
}

std::vector<double> diagonal(const BlockCyclicMatrix& matrix) {
  std::vector<double> values(static_cast<std::size_t>(std::min(matrix.rows(), matrix.columns())), 0.0);
  for (Index j = 0; j < matrix.local_columns(); ++j) {
    const Index k = matrix.global_column(j);
    if (k < matrix.rows() && matrix.row_deal().owner(k) == matrix.grid().row())
      values[static_cast<std::size_t>(k)] = matrix.local(matrix.row_deal().local(k), j);
  }
  matrix.grid().all().all_reduce(std::span<double>(values), Reduction::sum);  // one rank has each: exact
  return values;
}

namespace {

/// On all ranks Σ_i term(global row, entry) for every column.
template <class Term>
std::vector<double> sums_of_columns(const BlockCyclicMatrix& matrix, const Term& term) {
  std::vector<double> sums(static_cast<std::size_t>(matrix.columns()), 0.0);
  for (Index j = 0; j < matrix.local_columns(); ++j) {
    double sum = 0;
    for (Index i = 0; i < matrix.local_rows(); ++i) sum += term(matrix.global_row(i), matrix.local(i, j));
    sums[static_cast<std::size_t>(matrix.global_column(j))] = sum;
  }
  matrix.grid().all().all_reduce(std::span<double>(sums), Reduction::sum);
  return sums;
}

}  // namespace

std::vector<double> squared_column_norms(const BlockCyclicMatrix& matrix) {
  return sums_of_columns(matrix, [](Index, double value) { return value * value; });
}

std::vector<double> dot_columns(const BlockCyclicMatrix& a, const std::vector<double>& b) {
  if (std::ssize(b) != a.rows())
    throw Error(Category::shape, "product",
                fmt::format("{} x {} and a vector of {} do not fit each other", a.rows(), a.columns(), b.size()));
  return sums_of_columns(a, [&](Index row, double value) { return value * b[static_cast<std::size_t>(row)]; });
}

}  // namespace tempera
