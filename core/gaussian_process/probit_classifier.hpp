#pragma once

#include <Eigen/Core>
#include <memory>
#include <utility>

#include "core/gaussian_process/hyper_posterior.hpp"

namespace tempera {

/// log Φ(z) and its derivative φ(z)/Φ(z).
struct ProbitMoments {
  double value = 0, slope = 0;
};
ProbitMoments log_probit(double z);

/// Labels ±1 at n points with P(+1) = Φ(f(x) + m), f ~ GP(0, k) and m ~ N(0, constant): the posterior of f + m by expectation
/// propagation (Minka 2001; Rasmussen & Williams 2006, §3.6). Laplace's approximation would not do here: where labels do not
/// contradict each other its mode stays near zero, and it doubts what is sure. The noise of the model does not count. Points
/// are rows; functions that predict are thread-safe.
class ProbitClassifier {
 public:
  /// A factor of the likelihood as EP sees it: exp(ν f − ½ τ f²), an entry a point.
  struct Sites {
    Eigen::VectorXd precision, shift;  ///< τ ≥ 0 and ν
  };

  /// All sites are refined together until they rest. Cost n³ a round, of which there are ten or twenty.
  /// @param labels  1 or −1  @param start  from where; empty: from nothing
  ProbitClassifier(GpModel model, Eigen::MatrixXd points, Eigen::VectorXd labels, Sites start = {});

  const GpModel& model() const { return model_; }
  const Eigen::MatrixXd& points() const { return points_; }
  const Sites& sites() const { return sites_; }
  /// Means and variances of f + m at the data.
  const Eigen::VectorXd& mean() const { return mean_; }
  const Eigen::VectorXd& variance() const { return variance_; }
  /// log of the approximate evidence, and its derivatives by θ and the constant's variance if they are wanted.
  double log_evidence(EvidenceGradient* gradient = nullptr) const;

  /// Means and variances of f + m at each row: P(+1) = Φ(mean/√(1 + variance)).
  void predict(const Kernel::Points& points, Eigen::VectorXd& mean, Eigen::VectorXd& variance) const;
  /// The same at one row, with derivatives by its features.
  void predict_with_gradient(const Kernel::Points& point, double& mean, double& variance,
                             Eigen::Ref<Eigen::VectorXd> mean_gradient,
                             Eigen::Ref<Eigen::VectorXd> variance_gradient) const;
  void predict_jointly(const Kernel::Points& points, Eigen::VectorXd& mean, Eigen::MatrixXd& covariance) const;

 private:
  /// What is left of the posterior at a point without its own site.
  struct Cavity {
    double precision = 0, shift = 0;
  };
  void propagate();
  void take_sites();
  Cavity cavity(Eigen::Index i) const;
  Eigen::MatrixXd cross(const Kernel::Points& points) const;

  GpModel model_;
  Eigen::MatrixXd points_;
  Eigen::VectorXd labels_;
  Eigen::MatrixXd prior_;  // K
  Sites sites_;
  Eigen::VectorXd mean_, variance_;
  Eigen::VectorXd roots_;    // √τ
  Eigen::VectorXd weights_;  // K⁻¹ mean
  Eigen::MatrixXd factor_;   // L of B = I + √τ K √τ
};

/// The posterior of such a model's hyperparameters: its likelihood is the approximate evidence.
class ProbitPosterior final : public HyperPosterior {
 public:
  /// @param labels  1 or −1  @pre no noise is looked for: priors.fixed_noise has a value
  ProbitPosterior(KernelPointer kernel, const GpPriors& priors, Eigen::MatrixXd points, Eigen::VectorXd labels)
      : HyperPosterior(std::move(kernel), priors, std::move(points), std::move(labels)) {}
  std::unique_ptr<Target> clone() const override { return std::make_unique<ProbitPosterior>(*this); }

 protected:
  double log_evidence(const GpModel& model, EvidenceGradient* gradient) override {
    const ProbitClassifier classifier(model, points(), values(), std::move(sites_));
    sites_ = classifier.sites();
    return classifier.log_evidence(gradient);
  }

 private:
  ProbitClassifier::Sites sites_;  // of the evaluation before: the next is near it
};

}  // namespace tempera
