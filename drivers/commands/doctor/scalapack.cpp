#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "distributed/linalg/cholesky.hpp"
#include "drivers/commands/doctor/checks.hpp"

namespace tempera::drivers {

namespace {

constexpr Index kSize = 600;
constexpr Index kBlock = 64;
constexpr double kRho = 0.5;

/// The correlation matrix ρ^|i−j| has the Cholesky factor ρ^(i−j) · √(1−ρ²), without the root in its first column.
double matrix_entry(Index i, Index j) {
  return std::pow(kRho, std::abs(i - j));
}
double factor_entry(Index i, Index j) {
  return std::pow(kRho, i - j) * (j == 0 ? 1 : std::sqrt(1 - kRho * kRho));
}

/// Largest error of the factor on this process, or infinity if PDPOTRF reports a failure.
double factor_error(const BlacsGrid& grid) {
  BlockCyclicMatrix matrix(grid, kSize, kSize, kBlock);
  matrix.fill(matrix_entry);
  if (cholesky(matrix) != 0) return std::numeric_limits<double>::infinity();
  double error = 0;
  for (Index c = 0; c < matrix.local_columns(); ++c)
    for (Index r = 0; r < matrix.local_rows(); ++r) {
      const Index i = matrix.global_row(r), j = matrix.global_column(c);
      if (i >= j) error = std::max(error, std::abs(matrix.local(r, c) - factor_entry(i, j)));
    }
  return error;
}

}  // namespace

void check_scalapack(const Communicator& world, Findings& findings) {
  const BlacsGrid grid(world);
  const double error = world.all_reduce_value(factor_error(grid), Reduction::maximum);
  // Backward stable: error below n·ε times the condition number (1 + ρ)²/(1 − ρ)² = 9 of this matrix.
  const bool good = error <= 9 * kSize * std::numeric_limits<double>::epsilon();
  findings.push_back(
      {good ? Finding::Level::ok : Finding::Level::fail, "ScaLAPACK",
       fmt::format("PDPOTRF of order {} on {} x {} ranks, largest error {:.1e}", kSize, grid.rows(), grid.columns(),
                   error),
       good ? "" : "the ScaLAPACK, BLAS and MPI libraries do not fit each other; rebuild against one MPI"});
}

}  // namespace tempera::drivers
