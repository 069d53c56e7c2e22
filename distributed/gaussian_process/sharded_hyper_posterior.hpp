#pragma once

#include "core/gaussian_process/hyper_posterior.hpp"
#include "distributed/gaussian_process/covariance_tiles.hpp"
#include "distributed/linalg/block_cyclic_matrix.hpp"

namespace tempera {

/// HyperPosterior with its matrix in blocks over a grid of MPI ranks. evaluate() is collective over grid.all(), is called
/// with the same u on all ranks and gives the same bits on all of them, so that fit_hyperparameters, run on all ranks alike,
/// takes the same steps on each. Memory n² doubles over the ranks of the grid; the gradient needs no second matrix.
class ShardedHyperPosterior final : public HyperPosterior {
 public:
  ShardedHyperPosterior(const BlacsGrid& grid, KernelPointer kernel, const GpPriors& priors, Eigen::MatrixXd points,
                        Eigen::VectorXd values, Index block);
  std::unique_ptr<Target> clone() const override { return std::make_unique<ShardedHyperPosterior>(*this); }

 protected:
  double log_evidence(const GpModel& model, EvidenceGradient* gradient) override;

 private:
  BlockCyclicMatrix matrix_;  // scratch: K, then L, then K⁻¹
};

}  // namespace tempera
