#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "core/bayesopt/gp_fit.hpp"
#include "core/bayesopt/surrogate.hpp"
#include "core/gaussian_process/probit_classifier.hpp"

namespace tempera {

/// What trials that failed tell of others: the latent value of a classifier, positive where a trial rather fails,
/// P(it does not) = P(value + a standard normal ≤ 0).
class FailureSurrogate final : public Surrogate {
 public:
  explicit FailureSurrogate(ProbitClassifier classifier) : classifier_(std::move(classifier)) {}

  Index features() const override { return classifier_.points().cols(); }
  Index draws() const override { return 1; }
  void predict(const Eigen::MatrixXd& points, Eigen::MatrixXd& mean, Eigen::MatrixXd& sd) const override;
  void predict_with_gradient(std::span<const double> point, Eigen::VectorXd& mean, Eigen::VectorXd& sd,
                             Eigen::MatrixXd& mean_gradient, Eigen::MatrixXd& sd_gradient) const override;
  void predict_jointly(const Eigen::MatrixXd& points, Index draw, Eigen::VectorXd& mean,
                       Eigen::MatrixXd& covariance) const override;
  /// Nothing is to be improved on.
  double best(Index draw) const override { return static_cast<void>(draw), 0; }

 private:
  ProbitClassifier classifier_;
};

/// The classifier of a growing history of failures and successes, by the maximum of the posterior of its hyperparameters:
/// found anew after each trial below 40, then when there are 15 % more; a function of the history alone.
class FailureModel {
 public:
  FailureModel(const Space& space, KernelShape shape, std::uint64_t seed);

  /// @param points  features of a trial a row  @param failed  1 or −1
  FailureSurrogate follow(const Eigen::MatrixXd& points, const std::vector<double>& failed);

 private:
  KernelPointer kernel_;
  std::uint64_t seed_;
  Eigen::MatrixXd points_;  // those that the hyperparameters are of
  std::vector<double> failed_;
  std::optional<GpModel> model_;
  ProbitClassifier::Sites sites_;
};

}  // namespace tempera
