#pragma once

#include <Eigen/Core>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/index.hpp"
#include "core/base/random_stream.hpp"
#include "core/bayesopt/acquisition_functions.hpp"
#include "core/bayesopt/surrogate.hpp"

namespace tempera {

/// What is maximised to choose the next point. Thread-safe.
class Acquisition {
 public:
  virtual ~Acquisition() = default;
  virtual Index features() const = 0;
  /// @param points  features × m, a point a column
  /// @param values  m entries, overwritten
  virtual void values(const Eigen::MatrixXd& points, std::span<double> values) const = 0;
  /// @param gradient  features entries, overwritten
  virtual double value_with_gradient(std::span<const double> point, std::span<double> gradient) const = 0;
  /// At several points, one after the other unless an acquisition knows better.
  /// @param gradients  features × m, resized and overwritten
  virtual void values_with_gradients(const Eigen::MatrixXd& points, std::span<double> values,
                                     Eigen::MatrixXd& gradients) const;
};

enum class AcquisitionKind { log_ei, ei, pi, ucb, thompson };

/// Which acquisition, as it is named by people.
struct AcquisitionRule {
  AcquisitionKind kind = AcquisitionKind::log_ei;
  double beta = 2;  ///< of ucb: standard deviations

  /// "log-ei", "ei", "pi" (its logarithm), "ucb" or "ucb:BETA", "thompson".
  /// @throws Error{usage} for another name, or a beta that is not a number ≥ 0
  static AcquisitionRule parse(std::string_view text);
  std::string text() const;
};

/// An acquisition of models: the rule's value by the model of the objective, and what further models add. Averages over a
/// model's draws of its hyperparameters are those of the values (EI, UCB) or of their exponentials (logarithms), and
/// exactly the value of one draw if all draws are equal; each draw has its own incumbent.
///
/// What is added is a logarithm: log P(constraint holds), −log(cost). To "ei" it is a factor; beside "ucb" and "thompson",
/// which are in units of the objective's model, it is a penalty in these units.
class ModelAcquisition final : public Acquisition {
 public:
  /// Nothing yet: the sum of what is added. Without an objective's model (no point was feasible so far) the most
  /// probably feasible point is looked for.
  explicit ModelAcquisition(Index features) : features_(features) {}
  /// @param objective  outlives this
  /// @param stream     of the draw and the path of "thompson"; else not used
  /// @throws Error{usage} if "thompson" is asked of a model without paths
  ModelAcquisition(AcquisitionRule rule, const Surrogate& objective, RandomStream stream = {0, "thompson"});

  /// Adds log P(f + noise ≤ limit) for f of the model: of a constraint (limit: zero in the model's units).
  /// @param noise_sd  0: none
  void require_below(const Surrogate& model, double limit, double noise_sd = 0);
  /// Adds log P for P = P(f + a standard normal ≤ 0), the probability that a trial does not fail (FailureSurrogate). Where P is
  /// below ½ it is log ½ + 40 log 2P instead: what rather fails is not tried for the sake of what it would give if it did
  /// not, as long as there is anything else.
  void avoid_failing(const Surrogate& model);
  /// Subtracts weight·log E[exp(scale·f)]: a cost of which the model knows the logarithm in units of `scale`.
  void divide_by_cost(const Surrogate& log_cost, double scale, double weight = 1);

  Index features() const override { return features_; }
  void values(const Eigen::MatrixXd& points, std::span<double> values) const override;
  double value_with_gradient(std::span<const double> point, std::span<double> gradient) const override;
  void values_with_gradients(const Eigen::MatrixXd& points, std::span<double> values,
                             Eigen::MatrixXd& gradients) const override;

 private:
  /// factor · average over draws of at(mean, sd, draw).
  struct Term {
    const Surrogate* model;
    std::function<MomentValue(double mean, double sd, Index draw)> at;
    bool logarithmic;
    double factor;
  };
  static void add_values(const Term& term, const Eigen::MatrixXd& points, std::span<double> values);
  static void add_gradients(const Term& term, const Eigen::MatrixXd& points, Eigen::VectorXd& values,
                            Eigen::MatrixXd& gradients);

  Index features_;
  bool product_ = false;              ///< the first term is not a logarithm, the others are
  std::unique_ptr<SamplePath> path_;  ///< its negative is added
  std::vector<Term> terms_;
};

}  // namespace tempera
