#include "distributed/gaussian_process/covariance_tiles.hpp"

#include <cmath>
#include <numbers>

#include "core/base/contract.hpp"
#include "distributed/linalg/cholesky.hpp"
#include "distributed/linalg/redistribution.hpp"

namespace tempera {

namespace {

template <class T>
auto as_matrix(const MatrixTile<T>& tile) {
  using Matrix = std::conditional_t<std::is_const_v<T>, const Eigen::MatrixXd, Eigen::MatrixXd>;
  return Eigen::Map<Matrix, 0, Eigen::OuterStride<>>(tile.data, tile.rows, tile.columns,
                                                     Eigen::OuterStride<>(tile.stride));
}

}  // namespace

void fill_cross_covariance(const GpModel& model, const Kernel::Points& a, const Kernel::Points& b,
                           BlockCyclicMatrix& matrix) {
  TEMPERA_EXPECTS(matrix.rows() == a.rows() && matrix.columns() == b.rows());
  matrix.for_each_tile(Triangle::full, [&](const MatrixTile<double>& tile) {
    auto entries = as_matrix(tile);
    model.kernel->evaluate(model.theta, a.middleRows(tile.row, tile.rows), b.middleRows(tile.column, tile.columns),
                           entries);
    if (model.constant > 0) entries.array() += model.constant;
  });
}

void fill_covariance(const GpModel& model, const Kernel::Points& points, double added, BlockCyclicMatrix& matrix) {
  TEMPERA_EXPECTS(matrix.rows() == points.rows() && matrix.columns() == points.rows());
  matrix.for_each_tile(Triangle::lower, [&](const MatrixTile<double>& tile) {
    auto entries = as_matrix(tile);
    model.kernel->evaluate(model.theta, points.middleRows(tile.row, tile.rows),
                           points.middleRows(tile.column, tile.columns), entries);
    if (model.constant > 0) entries.array() += model.constant;
    if (tile.row == tile.column) entries.diagonal().array() += added;
  });
}

SolvedValues solve_values(const BlockCyclicMatrix& factor, const Eigen::VectorXd& values) {
  const BlacsGrid& grid = factor.grid();
  BlockCyclicMatrix x = distribute_replicated(grid, values, factor.block());
  cholesky_solve(factor, x);
  SolvedValues solved{replicate(x), 0};
  const auto n = static_cast<double>(values.size());
  const double own = -0.5 * (values.dot(solved.weights) + log_determinant(factor) + n * std::log(2 * std::numbers::pi));
  solved.log_evidence = grid.all().broadcast_value(own, 0);
  return solved;
}

namespace {

/// W of a block, doubled below the diagonal as it stands for the entry above as well.
void weigh(const MatrixTile<const double>& tile, const Eigen::VectorXd& weights, Eigen::MatrixXd& result) {
  result = -as_matrix(tile);
  result.noalias() += weights.segment(tile.row, tile.rows) * weights.segment(tile.column, tile.columns).transpose();
  if (tile.row != tile.column) return;
  for (Index j = 0; j < tile.columns; ++j) {
    result(j, j) /= 2;
    result.col(j).head(j).setZero();
  }
}

}  // namespace

EvidenceGradient contract_gradient(const GpModel& model, const Kernel::Points& points, const Eigen::VectorXd& weights,
                                   const BlockCyclicMatrix& inverse) {
  TEMPERA_EXPECTS(inverse.rows() == points.rows() && weights.size() == points.rows());
  const Index block = inverse.block();
  const Index blocks = (points.rows() + block - 1) / block;
  const auto parameters = std::ssize(model.kernel->parameters());
  // A column a block of the lower triangle, in the order of columns and then rows.
  Eigen::MatrixXd parts = Eigen::MatrixXd::Zero(parameters + 2, blocks * (blocks + 1) / 2);
  Eigen::MatrixXd tile_weights;
  inverse.for_each_tile(Triangle::lower, [&](const MatrixTile<const double>& tile) {
    weigh(tile, weights, tile_weights);
    const Index down = tile.row / block;
    const Index across = tile.column / block;
    auto part = parts.col(across * blocks - across * (across - 1) / 2 + down - across);
    model.kernel->add_gradient(model.theta, points.middleRows(tile.row, tile.rows),
                               points.middleRows(tile.column, tile.columns), tile_weights, part.head(parameters));
    if (down == across) part[parameters] = tile_weights.trace();
    part[parameters + 1] = tile_weights.sum();
  });
  const auto size = static_cast<std::size_t>(parts.size());
  inverse.grid().all().all_reduce(std::span<double>(parts.data(), size), Reduction::sum);  // one rank has each: exact
  Eigen::VectorXd sums = Eigen::VectorXd::Zero(parameters + 2);
  for (Index part = 0; part < parts.cols(); ++part) sums += parts.col(part);
  return {sums.head(parameters), sums[parameters], sums[parameters + 1]};
}

}  // namespace tempera
