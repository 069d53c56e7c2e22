#include "distributed/linalg/factorizations.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "distributed/linalg/detail/call.hpp"
#include "distributed/linalg/detail/scalapack.hpp"
#include "distributed/linalg/products.hpp"

namespace tempera {

using detail::call_on_grid;
using detail::kOne;
using detail::Workspace;

namespace {

constexpr int kQuery = -1;

void check_square(const BlockCyclicMatrix& a, const char* operation) {
  if (a.rows() != a.columns())
    throw Error(Category::shape, operation, fmt::format("a matrix of {} x {} is not square", a.rows(), a.columns()));
}

/// Iterations on numbers that are none may go on for ever. Collective.
void check_finite(const BlockCyclicMatrix& a, Triangle part, const char* operation) {
  bool finite = true;
  a.for_each_tile(part, [&](const MatrixTile<const double>& tile) {
    for (Index j = 0; j < tile.columns; ++j)
      for (Index i = 0; i < tile.rows; ++i)
        if (part == Triangle::full || tile.row + i >= tile.column + j) finite = finite && std::isfinite(tile(i, j));
  });
  if (a.grid().all().all_reduce_value(finite ? 0 : 1, Reduction::maximum) != 0)
    throw Error(Category::numerical, operation, "an entry of the matrix is not a finite number");
}

/// Rank 0 belongs to every grid; its values for all, those left out included.
std::vector<double> agreed(std::vector<double> values, const BlacsGrid& grid) {
  grid.all().broadcast(std::span<double>(values), 0);
  return values;
}

}  // namespace

void solve(BlockCyclicMatrix a, BlockCyclicMatrix& x) {
  check_square(a, "solve");
  if (x.rows() != a.rows() || x.block() != a.block() || x.grid().context() != a.grid().context())
    throw Error(Category::shape, "solve",
                fmt::format("{} x {} in blocks of {} and {} x {} in blocks of {} do not fit each other", a.rows(),
                            a.columns(), a.block(), x.rows(), x.columns(), x.block()));
  const auto n = static_cast<int>(a.rows());
  const auto columns = static_cast<int>(x.columns());
  if (n == 0 || columns == 0) return;
  std::vector<int> pivots(static_cast<std::size_t>(a.local_rows() + a.block()));
  const int zero_pivot = call_on_grid(a.grid(), "PDGESV", [&](int& info) {
    pdgesv_(&n, &columns, a.data(), &kOne, &kOne, a.descriptor(), pivots.data(), x.data(), &kOne, &kOne, x.descriptor(),
            &info);
  });
  if (zero_pivot > 0)
    throw Error(Category::numerical, "solve",
                fmt::format("the matrix is singular: pivot {} of {} is zero", zero_pivot, n));
}

QrFactors qr(BlockCyclicMatrix a) {
  const auto m = static_cast<int>(a.rows());
  const auto n = static_cast<int>(a.columns());
  const int k = std::min(m, n);
  BlockCyclicMatrix r(a.grid(), k, n, a.block());
  if (k == 0) return {BlockCyclicMatrix(a.grid(), m, k, a.block()), std::move(r)};
  std::vector<double> tau(static_cast<std::size_t>(a.local_columns()) + 1);
  // Documented: nb (mp + nq + nb), with mp and nq those of the rank that has most.
  const double least = static_cast<double>(a.block()) *
                       static_cast<double>(a.row_deal().count(0) + a.column_deal().count(0) + a.block());
  Workspace work;
  const auto in_turn = [&](const char* routine, const auto& call) {
    double answer = 0;
    call_on_grid(a.grid(), routine, [&](int& info) { call(&answer, &kQuery, &info); });
    work.allocate(routine, answer, least);
    call_on_grid(a.grid(), routine, [&](int& info) { call(work.values.data(), &work.length, &info); });
  };
  in_turn("PDGEQRF", [&](double* space, const int* length, int* info) {
    pdgeqrf_(&m, &n, a.data(), &kOne, &kOne, a.descriptor(), tau.data(), space, length, info);
  });
  for (Index j = 0; j < r.local_columns(); ++j)
    for (Index i = 0; i < r.local_rows(); ++i)
      r.local(i, j) = r.global_row(i) <= r.global_column(j) ? a.local(i, j) : 0;
  a.resize(m, k);
  in_turn("PDORGQR", [&](double* space, const int* length, int* info) {
    pdorgqr_(&m, &k, &k, a.data(), &kOne, &kOne, a.descriptor(), tau.data(), space, length, info);
  });
  return {std::move(a), std::move(r)};
}

SymmetricEigen symmetric_eigen(BlockCyclicMatrix a) {
  check_square(a, "eigenvalues");
  check_finite(a, Triangle::lower, "eigenvalues");
  const auto n = static_cast<int>(a.rows());
  SymmetricEigen result{std::vector<double>(static_cast<std::size_t>(n)), BlockCyclicMatrix(a.grid(), n, n, a.block())};
  if (n == 0) return result;
  // Documented: max(1 + 6n + 2 np nq, 3n + nb max(np + 1, 3)) + 2n, and 7n + 8 columns of the grid + 2. For large blocks
  // that is less than PDORMTR inside needs, nb max((nb − 1)/2, np + nq) + nb² + 2n, whose refusal PDSYEVD does not tell:
  // wrong vectors with info 0.
  const auto np = static_cast<double>(a.row_deal().count(0));
  const auto nq = static_cast<double>(a.column_deal().count(0));
  const auto nb = static_cast<double>(a.block());
  const double reflect = nb * std::max((nb - 1) / 2, np + nq) + nb * nb;
  const double least = std::max({1 + 6.0 * n + 2 * np * nq, 3.0 * n + nb * std::max(np + 1, 3.0), reflect}) + 2.0 * n;
  const Index least_integers = 7 * Index{n} + 8 * Index{a.grid().columns()} + 2;
  double answer = 0;
  int integer_answer = 0;
  const auto run = [&](double* space, const int* length, int* integers, const int* integer_length, int* info) {
    pdsyevd_("V", "L", &n, a.data(), &kOne, &kOne, a.descriptor(), result.values.data(), result.vectors.data(), &kOne,
             &kOne, result.vectors.descriptor(), space, length, integers, integer_length, info);
  };
  call_on_grid(a.grid(), "PDSYEVD", [&](int& info) { run(&answer, &kQuery, &integer_answer, &kQuery, &info); });
  Workspace work;
  work.allocate("PDSYEVD", answer, least);
  std::vector<int> integers(static_cast<std::size_t>(std::max(Index{integer_answer}, least_integers)));
  const auto integer_length = static_cast<int>(integers.size());
  const int failed = call_on_grid(a.grid(), "PDSYEVD", [&](int& info) {
    run(work.values.data(), &work.length, integers.data(), &integer_length, &info);
  });
  if (failed > 0) throw Error(Category::numerical, "eigenvalues", "the divide-and-conquer iteration does not converge");
  // A problem of one block is solved on one rank, and only that rank is given the values.
  result.values = agreed(std::move(result.values), a.grid());
  return result;
}

namespace {

double sum(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

/// PDGESVD loses the word of its iteration that it did not converge. What it left off the diagonal is missing here:
/// Σ σ² = Σ a².
void check_convergence(const std::vector<double>& values, double squared_norm) {
  double squares = 0;
  for (const double value : values) squares += value * value;
  constexpr double kLargestLoss = 1e-8;
  if (std::isfinite(squared_norm) && !(std::abs(squares - squared_norm) <= kLargestLoss * squared_norm))
    throw Error(Category::numerical, "singular values", "the iteration does not converge");
}

}  // namespace

SingularValues singular_values(BlockCyclicMatrix a) {
  check_finite(a, Triangle::full, "singular values");
  const double squared_norm = sum(squared_column_norms(a));
  const auto m = static_cast<int>(a.rows());
  const auto n = static_cast<int>(a.columns());
  const int k = std::min(m, n);
  SingularValues result{std::vector<double>(static_cast<std::size_t>(k)), BlockCyclicMatrix(a.grid(), m, k, a.block()),
                        BlockCyclicMatrix(a.grid(), k, n, a.block())};
  if (k == 0) return result;
  // Documented: 1 + 6 max(m, n) + max(bidiagonalisation, what follows), with the parts of the rank that has most; k rows
  // of u and columns of vt a rank when dealt singly over all ranks.
  const auto mp = static_cast<double>(a.row_deal().count(0));
  const auto nq = static_cast<double>(a.column_deal().count(0));
  const auto nb = static_cast<double>(a.block());
  const double ranks = a.grid().size();
  const double reduce = std::max(nb * (mp + nq + 1) + nq, std::max(mp, nq));
  const double apply = std::max(nb * (nb - 1) / 2, (mp + nq) * nb) + nb * nb;
  const double follow = k * (std::ceil(m / ranks) + std::ceil(n / ranks)) + std::max(4.0 * k, apply);
  double answer = 0;
  const auto run = [&](double* space, const int* length, int* info) {
    pdgesvd_("V", "V", &m, &n, a.data(), &kOne, &kOne, a.descriptor(), result.values.data(), result.u.data(), &kOne,
             &kOne, result.u.descriptor(), result.vt.data(), &kOne, &kOne, result.vt.descriptor(), space, length, info);
  };
  call_on_grid(a.grid(), "PDGESVD", [&](int& info) { run(&answer, &kQuery, &info); });
  Workspace work;
  work.allocate("PDGESVD", answer, 1 + 6.0 * std::max(m, n) + std::max(reduce, follow) + nb);
  const int failed =
      call_on_grid(a.grid(), "PDGESVD", [&](int& info) { run(work.values.data(), &work.length, &info); });
  if (failed > 0)
    throw Error(Category::numerical, "singular values", "MPI ranks computed different singular values",
                "run on nodes with equal processors");
  result.values = agreed(std::move(result.values), a.grid());
  check_convergence(result.values, squared_norm);
  return result;
}

}  // namespace tempera
