#include <fmt/format.h>
#include <mpi.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <vector>

#include "drivers/commands/doctor/checks.hpp"

extern "C" {
int Csys2blacs_handle(MPI_Comm communicator);
void Cfree_blacs_system_handle(int handle);
void Cblacs_gridinit(int* context, const char* order, int rows, int columns);
void Cblacs_gridinfo(int context, int* rows, int* columns, int* row, int* column);
void Cblacs_gridexit(int context);
int numroc_(const int* n, const int* block, const int* process, const int* source, const int* processes);
void descinit_(int* descriptor, const int* m, const int* n, const int* mb, const int* nb, const int* row_source,
               const int* column_source, const int* context, const int* leading, int* info);
void pdpotrf_(const char* triangle, const int* n, double* a, const int* ia, const int* ja, const int* descriptor,
              int* info);
}

namespace tempera::drivers {

namespace {

constexpr int kSize = 600;
constexpr int kBlock = 64;
constexpr double kRho = 0.5;

struct Grid {
  int context = 0;
  int rows = 0, columns = 0;  // of processes
  int row = 0, column = 0;    // of this process
};

/// The correlation matrix ρ^|i−j| has the Cholesky factor ρ^(i−j) · √(1−ρ²), without the root in its first column.
double matrix_entry(int i, int j) {
  return std::pow(kRho, std::abs(i - j));
}
double factor_entry(int i, int j) {
  return std::pow(kRho, i - j) * (j == 0 ? 1 : std::sqrt(1 - kRho * kRho));
}

/// Calls body(i, j, position) for every entry that this process holds, in block-cyclic layout.
template <class Body>
void for_each_local(const Grid& grid, int leading, int local_columns, Body body) {
  const auto global = [](int local, int process, int processes) {
    return (local / kBlock * processes + process) * kBlock + local % kBlock;
  };
  for (int c = 0; c < local_columns; ++c)
    for (int r = 0; r < leading; ++r)
      body(global(r, grid.row, grid.rows), global(c, grid.column, grid.columns),
           static_cast<std::size_t>(c) * static_cast<std::size_t>(leading) + static_cast<std::size_t>(r));
}

/// Largest error of the factor on this process, or infinity if PDPOTRF reports a failure.
double factor_error(const Grid& grid) {
  const int zero = 0;
  const int one = 1;
  const int local_rows = numroc_(&kSize, &kBlock, &grid.row, &zero, &grid.rows);
  const int local_columns = numroc_(&kSize, &kBlock, &grid.column, &zero, &grid.columns);
  const int leading = std::max(1, local_rows);
  int descriptor[9];
  int info = 0;
  descinit_(descriptor, &kSize, &kSize, &kBlock, &kBlock, &zero, &zero, &grid.context, &leading, &info);
  std::vector<double> a(static_cast<std::size_t>(leading) * static_cast<std::size_t>(std::max(1, local_columns)));
  if (local_rows > 0)
    for_each_local(grid, local_rows, local_columns, [&](int i, int j, std::size_t at) { a[at] = matrix_entry(i, j); });
  pdpotrf_("L", &kSize, a.data(), &one, &one, descriptor, &info);
  if (info != 0) return std::numeric_limits<double>::infinity();
  double error = 0;
  if (local_rows > 0)
    for_each_local(grid, local_rows, local_columns, [&](int i, int j, std::size_t at) {
      if (i >= j) error = std::max(error, std::abs(a[at] - factor_entry(i, j)));
    });
  return error;
}

}  // namespace

void check_scalapack(const Communicator& world, Findings& findings) {
  int sides[2] = {0, 0};
  MPI_Dims_create(world.size(), 2, sides);
  const int handle = Csys2blacs_handle(world.handle());
  Grid grid;
  grid.context = handle;
  Cblacs_gridinit(&grid.context, "Row", sides[0], sides[1]);
  Cblacs_gridinfo(grid.context, &grid.rows, &grid.columns, &grid.row, &grid.column);
  const double own_error = factor_error(grid);
  Cblacs_gridexit(grid.context);
  Cfree_blacs_system_handle(handle);
  const double error = world.all_reduce_value(own_error, Reduction::maximum);
  // Backward stable: error below n·ε times the condition number (1 + ρ)²/(1 − ρ)² = 9 of this matrix.
  const bool good = error <= 9 * kSize * std::numeric_limits<double>::epsilon();
  findings.push_back(
      {good ? Finding::Level::ok : Finding::Level::fail, "ScaLAPACK",
       fmt::format("PDPOTRF of order {} on {} x {} ranks, largest error {:.1e}", kSize, sides[0], sides[1], error),
       good ? "" : "the ScaLAPACK, BLAS and MPI libraries do not fit each other; rebuild against one MPI"});
}

}  // namespace tempera::drivers
