#pragma once

#include "core/gaussian_process/gp_maker.hpp"
#include "distributed/gaussian_process/sharded_gp.hpp"

namespace tempera {

/// From so many points on each rank has no whole factor: it would take 512 MiB.
constexpr Index kSpreadFrom = 8192;

/// Makes processes of few points on each rank. Of many, their hyperparameters are found and their covariance matrix is factored
/// in blocks over all ranks of a communicator; then each rank has the whole factor, so that predictions send nothing. Of still
/// more the process stays sharded. Which it is, is told by the number of points, if there is more than one rank.
class ShardedGpMaker final : public GpMaker {
 public:
  struct Limits {
    Index shared_from = kShardedFrom;
    Index spread_from = kSpreadFrom;
    Index block = kShardBlock;
  };
  /// Collective.
  ShardedGpMaker(const Communicator& ranks, Limits limits) : grid_(ranks), limits_(limits) {}

  bool shares(Index n) const override { return n >= limits_.shared_from && grid_.size() > 1; }
  bool spreads(Index n) const override { return shares(n) && n >= limits_.spread_from; }
  /// Where they are shared, both are collective over the ranks.
  std::unique_ptr<HyperPosterior> posterior(KernelPointer kernel, const GpPriors& priors, Eigen::MatrixXd points,
                                            Eigen::VectorXd values) const override;
  std::unique_ptr<GaussianProcess> process(GpModel model, Eigen::MatrixXd points,
                                           Eigen::VectorXd values) const override;

 private:
  BlacsGrid grid_;
  Limits limits_;
};

}  // namespace tempera
