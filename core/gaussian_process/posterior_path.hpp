#pragma once

#include <Eigen/Core>
#include <optional>

#include "core/base/random_stream.hpp"
#include "core/gaussian_process/gaussian_process.hpp"

namespace tempera {

/// A function f + m drawn from the posterior of a Gaussian process, by pathwise conditioning (Wilson et al. 2020): one of the
/// prior, as a sum of random Fourier features, and what it lacks at the data, carried on by the kernel. Far from the data
/// its covariance is that of the prior up to 1/√features; at the data it is exact. Thread-safe.
class PosteriorPath {
 public:
  static constexpr Index kFeatures = 1024;

  /// Nothing if the kernel's spectrum is not known. Cost features · (n + features()) + n².
  /// @param process  is copied in parts; need not outlive the path
  static std::optional<PosteriorPath> draw(const GaussianProcess& process, RandomStream stream,
                                           Index features = kFeatures);

  /// At each row. Cost n + features a point and feature of it.
  Eigen::VectorXd values(const Kernel::Points& points) const;
  /// At one row. @param gradient  overwritten
  double value_with_gradient(const Kernel::Points& point, Eigen::Ref<Eigen::VectorXd> gradient) const;

 private:
  PosteriorPath() = default;
  Eigen::VectorXd prior(const Kernel::Points& points) const;

  GpModel model_;
  Eigen::MatrixXd points_;
  Eigen::VectorXd weights_;      // of the kernel at the data
  Eigen::MatrixXd frequencies_;  // features of a point × Fourier features
  Eigen::VectorXd phases_, amplitudes_;
  double constant_ = 0;
};

}  // namespace tempera
