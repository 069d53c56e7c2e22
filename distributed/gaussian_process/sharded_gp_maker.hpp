#pragma once

#include "core/gaussian_process/gp_maker.hpp"
#include "distributed/gaussian_process/sharded_gp.hpp"

namespace tempera {

/// Makes processes of few points on each rank, and of many sharded ones over all ranks of a communicator: which it is, is told
/// by their number and by whether there is more than one rank.
class ShardedGpMaker final : public GpMaker {
 public:
  /// Collective. @param from   points from which on they are sharded @param block  of their matrices
  explicit ShardedGpMaker(const Communicator& ranks, Index from = kShardedFrom, Index block = kShardBlock)
      : grid_(ranks), from_(from), block_(block) {}

  bool spreads(Index n) const override { return n >= from_ && grid_.size() > 1; }
  /// Where it spreads, both are collective over the ranks.
  std::unique_ptr<HyperPosterior> posterior(KernelPointer kernel, const GpPriors& priors, Eigen::MatrixXd points,
                                            Eigen::VectorXd values) const override;
  std::unique_ptr<GaussianProcess> process(GpModel model, Eigen::MatrixXd points,
                                           Eigen::VectorXd values) const override;

 private:
  BlacsGrid grid_;
  Index from_, block_;
};

}  // namespace tempera
