#pragma once

#include <Eigen/Dense>
#include <limits>
#include <string>
#include <vector>

#include "core/base/random_stream.hpp"
#include "distributed/linalg/redistribution.hpp"
#include "tests/support/mpi.hpp"

namespace tempera::test {

constexpr std::uint64_t kMatrixSeed = 20;

/// Entries uniform in (−1, 1).
inline Eigen::MatrixXd random_matrix(Index rows, Index columns, Index which = 0) {
  Eigen::MatrixXd matrix(rows, columns);
  RandomStream stream(kMatrixSeed, "dense-test", {rows, columns, which});
  for (Index j = 0; j < columns; ++j)
    for (Index i = 0; i < rows; ++i) matrix(i, j) = 2 * stream.uniform() - 1;
  return matrix;
}

inline Eigen::MatrixXd random_symmetric(Index n) {
  const Eigen::MatrixXd half = random_matrix(n, n);
  return half + half.transpose();
}

/// Condition number of a few hundred at most.
inline Eigen::MatrixXd random_positive_definite(Index n) {
  const Eigen::MatrixXd half = random_matrix(n, n);
  return half * half.transpose() + 0.1 * static_cast<double>(n) * Eigen::MatrixXd::Identity(n, n);
}

/// What lies strictly above the diagonal becomes a NaN: it must not be read.
inline Eigen::MatrixXd lower_only(Eigen::MatrixXd matrix) {
  matrix.triangularView<Eigen::StrictlyUpper>().setConstant(std::numeric_limits<double>::quiet_NaN());
  return matrix;
}

inline Eigen::MatrixXd lower_part(const Eigen::MatrixXd& matrix) {
  return matrix.triangularView<Eigen::Lower>();
}

/// ‖a − b‖ / ‖b‖, 0 for empty ones.
inline double relative_error(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b) {
  if (a.rows() != b.rows() || a.cols() != b.cols()) return std::numeric_limits<double>::infinity();
  const double scale = b.norm();
  return a.size() == 0 ? 0 : (a - b).norm() / (scale > 0 ? scale : 1);
}

/// Grids of a communicator: one rank, a row, a column, a square, the near-square one; most leave ranks out.
inline std::vector<GridShape> grids_of(int ranks) {
  std::vector<GridShape> grids;
  for (const GridShape shape : {GridShape{1, 1}, {1, 2}, {2, 1}, {3, 1}, {1, 3}, {2, 2}, {1, 4}, {2, 3}})
    if (shape.rows * shape.columns <= ranks) grids.push_back(shape);
  return grids;
}

/// Calls body(grid, n, block) for every grid, sizes from 0 to several blocks that do not divide, and blocks of 1 to 64.
template <class Body>
void for_each_layout(const Communicator& world, Body&& body) {
  for (const GridShape shape : grids_of(world.size())) {
    const BlacsGrid grid(world, shape);
    for (const Index block : {1, 16, 64})
      for (const Index n : {0, 1, 5, 37, 130}) {
        if (block == 1 && n > 37) continue;  // thousands of messages
        SCOPED_TRACE("grid " + std::to_string(shape.rows) + " x " + std::to_string(shape.columns) + ", block " +
                     std::to_string(block) + ", n " + std::to_string(n));
        body(grid, n, block);
      }
  }
}

constexpr double kTolerance = 1e-10;

}  // namespace tempera::test
