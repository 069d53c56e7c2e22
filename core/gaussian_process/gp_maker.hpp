#pragma once

#include <memory>
#include <utility>

#include "core/gaussian_process/hyper_posterior.hpp"

namespace tempera {

/// Makes Gaussian processes and the posteriors of their hyperparameters: here on this process; in `distributed/` over several,
/// on all of which it is called alike.
class GpMaker {
 public:
  virtual ~GpMaker() = default;
  /// Whether processes of n points are factored, and their hyperparameters found, by several processes together: then both
  /// functions below and all of the posterior are called on all of them. A function of n and of how many they are.
  virtual bool shares(Index n) const {
    static_cast<void>(n);
    return false;
  }
  /// Whether such a process itself is spread over them, so that all functions of it are called on all of them; else each has
  /// its own.
  virtual bool spreads(Index n) const {
    static_cast<void>(n);
    return false;
  }
  virtual std::unique_ptr<HyperPosterior> posterior(KernelPointer kernel, const GpPriors& priors,
                                                    Eigen::MatrixXd points, Eigen::VectorXd values) const {
    return std::make_unique<HyperPosterior>(std::move(kernel), priors, std::move(points), std::move(values));
  }
  /// @throws Error{numerical} as ExactGp does
  virtual std::unique_ptr<GaussianProcess> process(GpModel model, Eigen::MatrixXd points,
                                                   Eigen::VectorXd values) const {
    return std::make_unique<ExactGp>(std::move(model), std::move(points), std::move(values));
  }
};

}  // namespace tempera
