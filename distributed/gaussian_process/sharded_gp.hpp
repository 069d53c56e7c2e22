#pragma once

#include <Eigen/Core>

#include "core/gaussian_process/exact_gp.hpp"
#include "distributed/gaussian_process/covariance_tiles.hpp"
#include "distributed/linalg/block_cyclic_matrix.hpp"

namespace tempera {

/// Rows and columns of a block of a covariance matrix.
constexpr Index kShardBlock = 192;
/// Below so many points the serial process is used: one rank is as fast as two.
constexpr Index kShardedFrom = 1500;

/// The grid for n points when the user gives `model_ranks` ranks of the communicator to the model, a function of these two
/// numbers: one rank below kShardedFrom points, else the near-square grid. Collective.
/// @throws Error{usage} if there are fewer ranks than that
BlacsGrid shard_grid(const Communicator& communicator, Index n, int model_ranks);

/// ExactGp with its matrix in blocks over a grid of MPI ranks: the same model, jitter policy and answers (to rounding, which
/// the grid and the block decide). Memory n² doubles over the ranks of the grid, and n · features on each.
///
/// Everything but the plain accessors is collective over grid().all(), takes the same arguments on all ranks and gives the
/// same bits on all of them. Regions of the communicator: "sharded gp" with "assemble", "factor", "solve", "inverse",
/// "contract", "predict".
class ShardedGp {
 public:
  /// Cost n³/3 over the ranks of the grid. @pre finite values, a point each
  /// @throws Error{numerical} naming the two closest points if the jitter does not help
  ShardedGp(const BlacsGrid& grid, GpModel model, Eigen::MatrixXd points, Eigen::VectorXd values,
            Index block = kShardBlock);

  const BlacsGrid& grid() const { return factor_.grid(); }
  const GpModel& model() const { return model_; }
  Index size() const { return points_.rows(); }
  const Eigen::MatrixXd& points() const { return points_; }
  const Eigen::VectorXd& values() const { return values_; }
  double jitter() const { return jitter_; }

  /// Other hyperparameters for the same data, in the same memory. Cost n³/3.
  void set_model(GpModel model);
  /// More data; the same hyperparameters. Cost n² a row, and the factor is copied once.
  void append(const Eigen::MatrixXd& points, const Eigen::VectorXd& values);
  /// Other values at the same points. Cost n².
  void set_values(Eigen::VectorXd values);

  /// log N(y; 0, K). Not collective.
  double log_evidence() const { return log_evidence_; }
  /// Its derivatives, those of the jitter left out. Cost 2n³/3 and memory for a second matrix.
  EvidenceGradient evidence_gradient() const;

  /// Means of f + m at the data. Not collective.
  Eigen::VectorXd fitted() const { return values_ - (model_.noise + jitter_) * weights_; }
  /// Means and variances of f + m at each row of `points`, kPredictionBatch at a time. Cost n² a point.
  void predict(const Eigen::MatrixXd& points, Eigen::VectorXd& mean, Eigen::VectorXd& variance) const;
  /// Means and variances of each y (with its noise) given all the others: Rasmussen & Williams 2006, eq. 5.12. Cost 2n³/3
  /// and memory for a second matrix.
  void leave_one_out(Eigen::VectorXd& mean, Eigen::VectorXd& variance) const;

  static constexpr Index kPredictionBatch = 1024;

 private:
  void factor();
  void solve_weights();
  BlockCyclicMatrix inverse() const;
  double prior_variance() const { return variance_ + model_.constant; }

  GpModel model_;
  Eigen::MatrixXd points_;
  Eigen::VectorXd values_;
  double variance_ = 0;  // of f
  double jitter_ = 0;
  BlockCyclicMatrix factor_;  // L
  Eigen::VectorXd weights_;   // K⁻¹y
  double log_evidence_ = 0;
};

}  // namespace tempera
