#include "distributed/gaussian_process/sharded_gp.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/base/contract.hpp"
#include "core/base/error.hpp"
#include "distributed/linalg/cholesky.hpp"
#include "distributed/linalg/products.hpp"
#include "distributed/linalg/redistribution.hpp"

namespace tempera {

BlacsGrid shard_grid(const Communicator& communicator, Index n, int model_ranks) {
  if (model_ranks < 1 || model_ranks > communicator.size())
    throw Error(Category::usage, "",
                fmt::format("the model cannot have {} MPI ranks: there are {}", model_ranks, communicator.size()));
  return {communicator, n < kShardedFrom ? GridShape{1, 1} : near_square_grid(model_ranks)};
}

ShardedGp::ShardedGp(const BlacsGrid& grid, GpModel model, Eigen::MatrixXd points, Eigen::VectorXd values, Index block)
    : GaussianProcess(std::move(model), std::move(points), std::move(values)),
      factor_(grid, points_.rows(), points_.rows(), block) {
  factor();
}

void ShardedGp::set_model(GpModel model) {
  TEMPERA_EXPECTS(points_.cols() == model.kernel->features());
  model_ = std::move(model);
  factor();
}

void ShardedGp::factor() {
  RegionTable& regions = grid().all().regions();
  const auto whole = regions.open("sharded gp");
  variance_ = model_.kernel->variance(model_.theta);
  for (double jitter = kLeastJitter; jitter <= 1.01 * kMostJitter; jitter *= 10) {
    jitter_ = jitter * prior_variance();
    {
      const auto region = regions.open("assemble");
      fill_covariance(model_, points_, model_.noise + jitter_, factor_);
      grid().all().barrier();  // a rank that waits for the blocks of others is not factoring yet
    }
    const Index failed = [&] {
      const auto region = regions.open("factor");
      return cholesky(factor_);
    }();
    if (failed == 0) return solve_weights();
  }
  throw indefinite_covariance(points_);
}

void ShardedGp::solve_weights() {
  const auto region = grid().all().regions().open("solve");
  SolvedValues solved = solve_values(factor_, values_);
  weights_ = std::move(solved.weights);
  log_evidence_ = solved.log_evidence;
}

void ShardedGp::append(const Eigen::MatrixXd& points, const Eigen::VectorXd& values) {
  const auto whole = grid().all().regions().open("sharded gp");
  const Index n = size();
  take_rows(points, values);
  BlockCyclicMatrix rows(grid(), points.rows(), size(), factor_.block());
  fill_cross_covariance(model_, points, points_, rows);
  for (Index i = 0; i < points.rows(); ++i)
    if (rows.holds(i, n + i))
      rows.local(rows.row_deal().local(i), rows.column_deal().local(n + i)) += model_.noise + jitter_;
  if (append_rows(factor_, rows) == 0) return solve_weights();
  factor_ = BlockCyclicMatrix(grid(), size(), size(), factor_.block());
  factor();
}

Eigen::MatrixXd ShardedGp::whole_factor() const {
  return replicate(factor_);
}

/// The columns are on every rank, as few as they are: points that are looked at in step, or pending ones.
void ShardedGp::divide_by_factor(Eigen::MatrixXd& columns) const {
  const auto region = grid().all().regions().open("predict");
  BlockCyclicMatrix side = distribute_replicated(grid(), columns, factor_.block());
  solve_lower(factor_, Transpose::no, Side::left, side);
  columns = replicate(side);
}

void ShardedGp::divide_by_transposed_factor(Eigen::MatrixXd& columns) const {
  const auto region = grid().all().regions().open("predict");
  BlockCyclicMatrix side = distribute_replicated(grid(), columns, factor_.block());
  solve_lower(factor_, Transpose::yes, Side::left, side);
  columns = replicate(side);
}

void ShardedGp::set_values(Eigen::VectorXd values) {
  TEMPERA_EXPECTS(values.size() == size());
  values_ = std::move(values);
  solve_weights();
}

BlockCyclicMatrix ShardedGp::inverse() const {
  const auto region = grid().all().regions().open("inverse");
  BlockCyclicMatrix result = factor_;
  cholesky_inverse(result);
  return result;
}

EvidenceGradient ShardedGp::evidence_gradient() const {
  const auto whole = grid().all().regions().open("sharded gp");
  const BlockCyclicMatrix inverted = inverse();
  const auto region = grid().all().regions().open("contract");
  return contract_gradient(model_, points_, weights_, inverted);
}

void ShardedGp::predict(const Kernel::Points& points, Eigen::VectorXd& mean, Eigen::VectorXd& variance) const {
  TEMPERA_EXPECTS(points.cols() == points_.cols());
  const auto whole = grid().all().regions().open("sharded gp");
  const auto region = grid().all().regions().open("predict");
  mean.resize(points.rows());
  variance.resize(points.rows());
  const std::vector<double> weights(weights_.begin(), weights_.end());
  for (Index first = 0; first < points.rows(); first += kPredictionBatch) {
    const Index count = std::min(kPredictionBatch, points.rows() - first);
    BlockCyclicMatrix side(grid(), size(), count, factor_.block());
    fill_cross_covariance(model_, points_, points.middleRows(first, count), side);
    const std::vector<double> means = dot_columns(side, weights);
    solve_lower(factor_, Transpose::no, Side::left, side);
    const std::vector<double> explained = squared_column_norms(side);
    for (Index j = 0; j < count; ++j) {
      mean[first + j] = means[static_cast<std::size_t>(j)];
      variance[first + j] = std::max(0.0, prior_variance() - explained[static_cast<std::size_t>(j)]);
    }
  }
}

void ShardedGp::leave_one_out(Eigen::VectorXd& mean, Eigen::VectorXd& variance) const {
  const auto whole = grid().all().regions().open("sharded gp");
  const std::vector<double> entries = diagonal(inverse());
  variance = Eigen::Map<const Eigen::VectorXd>(entries.data(), size()).cwiseInverse();
  mean = values_ - weights_.cwiseProduct(variance);
}

}  // namespace tempera
