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
/// Everything but what costs nothing is collective over grid().all(), takes the same arguments on all ranks and gives the
/// same bits on all of them. Regions of the communicator: "sharded gp" with "assemble", "factor", "solve", "inverse",
/// "contract", "predict".
class ShardedGp final : public GaussianProcess {
 public:
  /// Cost n³/3 over the ranks of the grid. @pre finite values, a point each
  /// @throws Error{numerical} naming the two closest points if the jitter does not help
  ShardedGp(const BlacsGrid& grid, GpModel model, Eigen::MatrixXd points, Eigen::VectorXd values,
            Index block = kShardBlock);

  std::unique_ptr<GaussianProcess> clone() const override { return std::make_unique<ShardedGp>(*this); }
  const BlacsGrid& grid() const { return factor_.grid(); }

  /// Other hyperparameters for the same data, in the same memory. Cost n³/3.
  void set_model(GpModel model);
  /// More data; the same hyperparameters. Cost n² a row, and the factor is copied once.
  void append(const Eigen::MatrixXd& points, const Eigen::VectorXd& values) override;
  /// Other values at the same points. Cost n².
  void set_values(Eigen::VectorXd values);

  /// L on every rank; strictly above the diagonal it is garbage.
  Eigen::MatrixXd whole_factor() const;

  /// log N(y; 0, K). Not collective.
  double log_evidence() const { return log_evidence_; }
  /// Its derivatives, those of the jitter left out. Cost 2n³/3 and memory for a second matrix.
  EvidenceGradient evidence_gradient() const;

  /// kPredictionBatch at a time.
  void predict(const Kernel::Points& points, Eigen::VectorXd& mean, Eigen::VectorXd& variance) const override;
  /// Means and variances of each y (with its noise) given all the others: Rasmussen & Williams 2006, eq. 5.12. Cost 2n³/3
  /// and memory for a second matrix.
  void leave_one_out(Eigen::VectorXd& mean, Eigen::VectorXd& variance) const;

  static constexpr Index kPredictionBatch = 1024;

 private:
  void factor();
  void solve_weights();
  BlockCyclicMatrix inverse() const;
  void divide_by_factor(Eigen::MatrixXd& columns) const override;
  void divide_by_transposed_factor(Eigen::MatrixXd& columns) const override;

  BlockCyclicMatrix factor_;  // L
  double log_evidence_ = 0;
};

}  // namespace tempera
