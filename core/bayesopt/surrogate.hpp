#pragma once

#include <Eigen/Core>
#include <memory>
#include <span>
#include <vector>

#include "core/base/index.hpp"
#include "core/base/random_stream.hpp"

namespace tempera {

/// One function drawn from a model's posterior distribution of the latent values. Thread-safe.
class SamplePath {
 public:
  virtual ~SamplePath() = default;
  /// @param points  features × m, a point a column
  /// @param values  m entries, resized and overwritten
  virtual void values(const Eigen::MatrixXd& points, Eigen::VectorXd& values) const = 0;
  /// @param gradient  features entries, overwritten
  virtual double value_with_gradient(std::span<const double> point, std::span<double> gradient) const = 0;
};

/// Covariances of the latent values at any points with those at p fixed ones, under each draw of a model. Thread-safe.
class CrossCovariance {
 public:
  virtual ~CrossCovariance() = default;
  /// @param covariance  m × p, resized and overwritten
  virtual void values(const Eigen::MatrixXd& points, Index draw, Eigen::MatrixXd& covariance) const = 0;
  /// At one point.
  /// @param covariance  p entries
  /// @param gradient  features × p: derivatives by the point
  virtual void with_gradient(std::span<const double> point, Index draw, Eigen::VectorXd& covariance,
                             Eigen::MatrixXd& gradient) const = 0;
};

/// Predictions at m points, with derivatives.
struct GradientPredictions {
  Eigen::MatrixXd mean, sd;                                 ///< draws × m
  std::vector<Eigen::MatrixXd> mean_gradient, sd_gradient;  ///< of each point, features × draws
};

/// What a model of the objective tells an acquisition: for each of S draws of its hyperparameters a normal distribution of
/// the latent (noise-free) value at a point. Values are in the model's units, in which smaller is better as well: they are
/// compared with best() and with each other only. Thread-safe.
class Surrogate {
 public:
  virtual ~Surrogate() = default;
  virtual Index features() const = 0;
  virtual Index draws() const = 0;

  /// @param points  features × m, a point a column
  /// @param mean, sd  m × draws, resized and overwritten; sd > 0
  virtual void predict(const Eigen::MatrixXd& points, Eigen::MatrixXd& mean, Eigen::MatrixXd& sd) const = 0;
  /// At one point, with derivatives.
  /// @param mean, sd  draws entries
  /// @param mean_gradient, sd_gradient  features × draws
  virtual void predict_with_gradient(std::span<const double> point, Eigen::VectorXd& mean, Eigen::VectorXd& sd,
                                     Eigen::MatrixXd& mean_gradient, Eigen::MatrixXd& sd_gradient) const = 0;
  /// At several points, one after the other unless a model knows better.
  /// @param points  features × m  @param predictions  overwritten
  virtual void predict_with_gradients(const Eigen::MatrixXd& points, GradientPredictions& predictions) const;
  /// Joint distribution of the values at several points under one draw.
  /// @param mean  m entries  @param covariance  m × m
  virtual void predict_jointly(const Eigen::MatrixXd& points, Index draw, Eigen::VectorXd& mean,
                               Eigen::MatrixXd& covariance) const = 0;
  /// What has to be improved on under a draw: the least value that was seen without noise, else the least mean at a tried
  /// point.
  virtual double best(Index draw) const = 0;
  /// By joint predictions, gradients by differences, unless a model knows better.
  /// @param fixed  features × p  @return refers to this
  virtual std::unique_ptr<CrossCovariance> covariance_with(const Eigen::MatrixXd& fixed) const;
  /// A function from the posterior under a draw, the same for the same stream; null where a model has none to give.
  virtual std::unique_ptr<SamplePath> sample_path(Index draw, RandomStream stream) const {
    static_cast<void>(draw), static_cast<void>(stream);
    return nullptr;
  }
};

}  // namespace tempera
