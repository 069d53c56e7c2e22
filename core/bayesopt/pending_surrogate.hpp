#pragma once

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/bayesopt/surrogate.hpp"

namespace tempera {

/// What is assumed of trials that have not ended.
enum class PendingOutcome {
  fantasies,  ///< several outcomes, drawn jointly from the model
  believer,   ///< the mean
  liar        ///< what has to be improved on
};

struct PendingOptions {
  PendingOutcome outcome = PendingOutcome::fantasies;
  Index fantasies = 8;                      ///< of each draw of the model; ≥ 1
  std::vector<double> noise_variance = {};  ///< of the trials, an entry a draw of the model; empty: none
  std::uint64_t seed = 0;
  Index number = 0;  ///< of the proposal; fantasies are scrambled Sobol points of (seed, number)
};

/// A model given outcomes of pending points: its draws are those of the model, each with as many outcomes as there are
/// fantasies. The model itself is neither copied nor factored again: a prediction costs one of the model and a few products
/// of the size of the pending points.
///
/// The log expected improvement of it, as an average over its draws, is that of a batch jointly with the pending points
/// (qLogEI), with the expectation over the last point's value taken exactly and its gain over the others' alone.
class PendingSurrogate final : public Surrogate {
 public:
  /// @param base  outlives this
  /// @param pending  features × p, p ≥ 1
  /// @throws Error{numerical} if the model's joint distribution at the pending points is not one
  PendingSurrogate(const Surrogate& base, const Eigen::MatrixXd& pending, const PendingOptions& options);

  Index features() const override { return base_.features(); }
  Index draws() const override { return base_.draws() * outcomes_; }
  void predict(const Eigen::MatrixXd& points, Eigen::MatrixXd& mean, Eigen::MatrixXd& sd) const override;
  void predict_with_gradient(std::span<const double> point, Eigen::VectorXd& mean, Eigen::VectorXd& sd,
                             Eigen::MatrixXd& mean_gradient, Eigen::MatrixXd& sd_gradient) const override;
  void predict_with_gradients(const Eigen::MatrixXd& points, GradientPredictions& predictions) const override;
  void predict_jointly(const Eigen::MatrixXd& points, Index draw, Eigen::VectorXd& mean,
                       Eigen::MatrixXd& covariance) const override;
  double best(Index draw) const override { return best_[static_cast<std::size_t>(draw)]; }

 private:
  /// Of one draw of the model.
  struct Conditioned {
    Eigen::LLT<Eigen::MatrixXd> factor;  ///< of the covariance of the outcomes
    Eigen::MatrixXd weights;             ///< p × outcomes: its inverse times (outcome − mean)
  };
  const Conditioned& conditioned(Index draw) const { return conditioned_[static_cast<std::size_t>(draw)]; }

  const Surrogate& base_;
  Eigen::MatrixXd pending_;
  Index outcomes_;
  std::unique_ptr<CrossCovariance> cross_;
  std::vector<Conditioned> conditioned_;
  std::vector<double> best_;
};

}  // namespace tempera
