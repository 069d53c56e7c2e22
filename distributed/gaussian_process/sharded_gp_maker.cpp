#include "distributed/gaussian_process/sharded_gp_maker.hpp"

#include <utility>

#include "distributed/gaussian_process/sharded_hyper_posterior.hpp"

namespace tempera {

std::unique_ptr<HyperPosterior> ShardedGpMaker::posterior(KernelPointer kernel, const GpPriors& priors,
                                                          Eigen::MatrixXd points, Eigen::VectorXd values) const {
  if (!shares(points.rows()))
    return GpMaker::posterior(std::move(kernel), priors, std::move(points), std::move(values));
  return std::make_unique<ShardedHyperPosterior>(grid_, std::move(kernel), priors, std::move(points), std::move(values),
                                                 limits_.block);
}

std::unique_ptr<GaussianProcess> ShardedGpMaker::process(GpModel model, Eigen::MatrixXd points,
                                                         Eigen::VectorXd values) const {
  if (!shares(points.rows())) return GpMaker::process(std::move(model), std::move(points), std::move(values));
  const bool spread = spreads(points.rows());
  auto sharded =
      std::make_unique<ShardedGp>(grid_, std::move(model), std::move(points), std::move(values), limits_.block);
  if (spread) return sharded;
  return std::make_unique<ExactGp>(sharded->model(), sharded->points(), sharded->values(), sharded->whole_factor(),
                                   sharded->jitter());
}

}  // namespace tempera
