#pragma once

#include <memory>
#include <vector>

#include "core/bayesopt/surrogate.hpp"
#include "core/gaussian_process/exact_gp.hpp"

namespace tempera {

/// Exact Gaussian processes of the same points, one a draw of the hyperparameters (and of what pending trials may give).
class GpSurrogate final : public Surrogate {
 public:
  using Process = std::shared_ptr<const GaussianProcess>;
  /// @pre one at least, each with data; they do not change while this is used
  explicit GpSurrogate(std::vector<Process> draws);
  explicit GpSurrogate(std::vector<ExactGp> draws);

  /// Only these of the first points of the data count for best(); points after them do.
  /// @pre one at least is left
  void restrict_best(const std::vector<bool>& counts);

  const GaussianProcess& process(Index draw) const { return *processes_[static_cast<std::size_t>(draw)]; }
  Index features() const override { return processes_.front()->points().cols(); }
  Index draws() const override { return std::ssize(processes_); }
  void predict(const Eigen::MatrixXd& points, Eigen::MatrixXd& mean, Eigen::MatrixXd& sd) const override;
  void predict_with_gradient(std::span<const double> point, Eigen::VectorXd& mean, Eigen::VectorXd& sd,
                             Eigen::MatrixXd& mean_gradient, Eigen::MatrixXd& sd_gradient) const override;
  void predict_with_gradients(const Eigen::MatrixXd& points, GradientPredictions& predictions) const override;
  void predict_jointly(const Eigen::MatrixXd& points, Index draw, Eigen::VectorXd& mean,
                       Eigen::MatrixXd& covariance) const override;
  std::unique_ptr<CrossCovariance> covariance_with(const Eigen::MatrixXd& fixed) const override;
  std::unique_ptr<SamplePath> sample_path(Index draw, RandomStream stream) const override;
  /// The least mean at a point of the data: without noise the least value.
  double best(Index draw) const override { return best_[static_cast<std::size_t>(draw)]; }

 private:
  std::vector<Process> processes_;
  std::vector<double> best_;
};

}  // namespace tempera
