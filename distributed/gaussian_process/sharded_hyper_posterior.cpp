#include "distributed/gaussian_process/sharded_hyper_posterior.hpp"

#include <limits>
#include <utility>

#include "distributed/linalg/cholesky.hpp"

namespace tempera {

ShardedHyperPosterior::ShardedHyperPosterior(const BlacsGrid& grid, KernelPointer kernel, const GpPriors& priors,
                                             Eigen::MatrixXd points, Eigen::VectorXd values, Index block)
    : HyperPosterior(std::move(kernel), priors, std::move(points), std::move(values)),
      matrix_(grid, this->points().rows(), this->points().rows(), block) {}

double ShardedHyperPosterior::log_evidence(const GpModel& model, EvidenceGradient* gradient) {
  const double jitter = kLeastJitter * (model.kernel->variance(model.theta) + model.constant);
  fill_covariance(model, points(), model.noise + jitter, matrix_);
  if (cholesky(matrix_) > 0) return -std::numeric_limits<double>::infinity();
  const SolvedValues solved = solve_values(matrix_, values());
  if (gradient == nullptr) return solved.log_evidence;
  cholesky_inverse(matrix_);
  *gradient = contract_gradient(model, points(), solved.weights, matrix_);
  return solved.log_evidence;
}

}  // namespace tempera
