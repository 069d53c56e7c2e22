#pragma once

#include <Eigen/Core>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/base/dealer.hpp"
#include "core/gaussian_process/exact_gp.hpp"
#include "core/sampling/target.hpp"

namespace tempera {

/// The logarithm of a positive number is normal.
struct LogNormal {
  double mean = 0;  ///< of the logarithm
  double sd = 1;    ///< of the logarithm, > 0
};

/// Of inputs in the unit cube and values of mean 0 and variance 1.
struct GpPriors {
  LogNormal length_scale{-0.9162907318741551, 1.4};  ///< of each group; log 0.4
  LogNormal amplitude{0, 0.7};                       ///< standard deviation of f
  LogNormal shape{0, 1};                             ///< α of the rational quadratic
  LogNormal noise{-6.907755278982137, 2};            ///< standard deviation of ε; log 0.001
  std::optional<double> fixed_noise;                 ///< standard deviation; else it is a hyperparameter
  double constant = 1;                               ///< variance of the constant mean
};

/// The posterior of a Gaussian process' hyperparameters, of their logarithms to be exact. u are those minus the prior's
/// means, over its standard deviations, so that the reference is N(0, I); the likelihood is the evidence. The order is that
/// of the kernel's parameters, then log sd of the noise unless it is fixed.
///
/// Cost of an evaluation: n³/3, with gradient n³ and features() · n²/2 besides. Where the matrix is not positive definite
/// the likelihood is 0.
class HyperPosterior : public Target {
 public:
  /// @param points  a row each
  HyperPosterior(KernelPointer kernel, const GpPriors& priors, Eigen::MatrixXd points, Eigen::VectorXd values);

  using Target::evaluate;
  LogDensity evaluate(std::span<const double> u, std::span<double> reference_gradient,
                      std::span<double> likelihood_gradient) final;
  bool has_gradient() const override { return true; }
  bool samples_reference() const override { return true; }
  bool normalised_reference() const override { return true; }
  void sample_reference(RandomStream& stream, std::span<double> u) override;
  std::unique_ptr<Target> clone() const override { return std::make_unique<HyperPosterior>(*this); }

  GpModel model(std::span<const double> u) const;
  const Eigen::MatrixXd& points() const { return data_->points; }
  const Eigen::VectorXd& values() const { return data_->values; }

 protected:
  /// log N(y; 0, K) with the least jitter, −∞ where the matrix is not positive definite: then the gradient is left alone.
  /// @param gradient  null: not wanted
  virtual double log_evidence(const GpModel& model, EvidenceGradient* gradient);

 private:
  struct Data {
    Eigen::MatrixXd points;
    Eigen::VectorXd values;
  };
  Eigen::VectorXd logarithms(std::span<const double> u) const;

  KernelPointer kernel_;
  std::vector<LogNormal> priors_;
  std::optional<double> fixed_noise_;
  double constant_;
  std::shared_ptr<const Data> data_;
  Eigen::MatrixXd matrix_;   // scratch: K, then L, then W
  Eigen::VectorXd weights_;  // scratch: K⁻¹y
};

/// How hyperparameters are found: draws from their posterior, its maximum, or the maximum of the evidence alone.
enum class HyperMethod { bayes, map, mle };

struct HyperFitOptions {
  HyperMethod method = HyperMethod::bayes;
  Index draws = 16;    ///< of bayes
  Index chains = 2;    ///< of bayes, that share the draws
  Index warm_up = 24;  ///< steps of a chain that are thrown away
  Index thin = 2;      ///< steps a draw
  Index starts = 4;    ///< of the search for the maximum, the prior mean among them
};

struct HyperFit {
  std::vector<std::vector<double>> draws;  ///< points u, those of a chain in a row; one unless bayes
  std::vector<double> mode;                ///< u
  double log_density = 0;                  ///< at the mode
  Index evaluations = 0;
};

/// Depends on the target, the options, the seed and `before` alone. Draws come from NUTS (Hoffman & Gelman 2014) in the prior's
/// units, begun around the mode, its step size adapted while warming up.
/// @param before  of fewer data: the search for the maximum begins at its mode alone, the chains at their last draws and with
///                the draws' spread as the coordinates' scales; they warm up half as long
/// @param dealer  of starts and of chains; they share the posterior where there is one process
HyperFit fit_hyperparameters(HyperPosterior& posterior, const HyperFitOptions& options, std::uint64_t seed,
                             Dealer& dealer, const HyperFit* before = nullptr);
/// On one process.
HyperFit fit_hyperparameters(HyperPosterior& posterior, const HyperFitOptions& options, std::uint64_t seed);

}  // namespace tempera
