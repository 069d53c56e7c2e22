#pragma once

#include <Eigen/Core>
#include <memory>
#include <span>
#include <vector>

#include "core/bayesopt/gp_fit.hpp"
#include "core/bayesopt/surrogate.hpp"
#include "core/bayesopt/warm_start.hpp"
#include "core/gaussian_process/exact_gp.hpp"

namespace tempera {

/// What trials of other tasks say of a point, as further features of a model of this one: the posterior mean of a Gaussian
/// process of each source. With them the value is modelled as a sum
///
///     y = m + f(x) + Σ_s g_s(μ_s(x)) + noise
///
/// of Gaussian processes f of the point and g_s of one source's mean alone, each with an amplitude of its own. A source that
/// says nothing about this task gets a small one; one of a related task is as good as trials; and no value of another task
/// is taken for one of this.
class Transfer {
 public:
  /// Fits the sources, by the maximum of their hyperparameters' posteriors (of at most 300 trials each; the mean by at most
  /// 2000, the best ones among them). Parameters that a source never varied do not count in its model.
  /// Depends on the arguments alone.
  Transfer(const Space& space, std::span<const SourceTrials> sources, GpFitOptions options, std::uint64_t seed);

  Index sources() const { return std::ssize(sources_); }
  /// The kernel of f and the g_s, of features() + sources() features.
  KernelPointer kernel() const { return kernel_; }

  /// @param rows  features of a point a row, m × features @return m × (features + sources)
  Eigen::MatrixXd widened(const Eigen::MatrixXd& rows) const;
  /// @param slopes  of each point, features × sources: derivatives of what is added to it
  Eigen::MatrixXd widened(const Eigen::MatrixXd& rows, std::vector<Eigen::MatrixXd>& slopes) const;

 private:
  struct Source {
    GpModel model;
    Eigen::MatrixXd points;
    Eigen::VectorXd weights;  // K⁻¹y
  };

  KernelPointer kernel_;
  std::vector<Source> sources_;
};

/// A model over widened features as one over the points.
class TransferSurrogate final : public Surrogate {
 public:
  /// @param base, transfer  outlive this
  TransferSurrogate(const Surrogate& base, const Transfer& transfer) : base_(base), transfer_(transfer) {}

  Index features() const override { return base_.features() - transfer_.sources(); }
  Index draws() const override { return base_.draws(); }
  void predict(const Eigen::MatrixXd& points, Eigen::MatrixXd& mean, Eigen::MatrixXd& sd) const override;
  void predict_with_gradient(std::span<const double> point, Eigen::VectorXd& mean, Eigen::VectorXd& sd,
                             Eigen::MatrixXd& mean_gradient, Eigen::MatrixXd& sd_gradient) const override;
  void predict_with_gradients(const Eigen::MatrixXd& points, GradientPredictions& predictions) const override;
  void predict_jointly(const Eigen::MatrixXd& points, Index draw, Eigen::VectorXd& mean,
                       Eigen::MatrixXd& covariance) const override;
  double best(Index draw) const override { return base_.best(draw); }
  std::unique_ptr<CrossCovariance> covariance_with(const Eigen::MatrixXd& fixed) const override;
  std::unique_ptr<SamplePath> sample_path(Index draw, RandomStream stream) const override;

 private:
  const Surrogate& base_;
  const Transfer& transfer_;
};

}  // namespace tempera
