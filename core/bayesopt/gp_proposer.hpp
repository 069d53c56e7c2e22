#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/bayesopt/acquisition.hpp"
#include "core/bayesopt/acquisition_optimizer.hpp"
#include "core/bayesopt/gp_fit.hpp"
#include "core/bayesopt/gp_surrogate.hpp"
#include "core/bayesopt/initial_design.hpp"
#include "core/bayesopt/pending_surrogate.hpp"
#include "core/bayesopt/proposer.hpp"

namespace tempera {

struct GpProposerOptions {
  std::uint64_t seed = 0;
  Index initial = 0;  ///< points of the initial design; 0: twice the parameters, at least 4
  GpFitOptions model;
  AcquisitionRule acquisition;
  std::vector<std::string> constraints;  ///< names of the values that trials report, which must be ≤ 0
  bool per_cost = false;                 ///< divide by the expected cost
  Index fantasies = 8;                   ///< least number of outcomes of pending trials that are drawn
  SearchOptions search;
};

/// Bayesian optimisation by exact Gaussian processes of the objective, of the constraints that trials report, of failing and
/// of the cost's logarithm. Pending trials are fantasies (Snoek, Larochelle & Adams 2012, §3.2): each draw of the
/// hyperparameters has outcomes of its own, drawn jointly.
///
/// Hyperparameters are found anew after every trial below 100, then whenever there are 5 % more, or a value that the warp
/// does not cover; in between rows are appended. So a proposal depends on the history it is given, not on what was
/// proposed before. Cost: see HyperPosterior; S n² m for m candidates under S draws.
class GpProposer final : public Proposer {
 public:
  /// @param space  outlives this
  GpProposer(const Space& space, GpProposerOptions options);

  Proposal propose(Index number, std::span<const Trial> finished, std::span<const PendingTrial> pending) override;

 private:
  struct Data {
    std::vector<Point> points;
    std::vector<double> values;
    void add(const Point& point, double value);
  };
  /// The finished trials, by what they tell.
  struct History {
    Data objective, failing, log_cost;  ///< failing: 1, else −1
    std::vector<Data> constraints;
    std::vector<bool> holds;  ///< of `objective`: all its constraints
    std::vector<Point> best_first;
    std::vector<Point> other;    ///< tried without a value
    std::vector<Point> in_vain;  ///< those of them that would fail again
    bool any_failed = false, any_feasible = false;
  };
  struct Model {
    Index fitted = 0;
    std::optional<FittedGp> gp;
  };

  History sort(std::span<const Trial> finished) const;
  Proposal begin(Index number, const History& history, std::span<const Point> waiting) const;
  Index size_of_last_fit(std::span<const double> values) const;
  const FittedGp& fitted(const std::string& name, const Data& data, const GpFitOptions& options);
  std::vector<ExactGp> processes(const std::string& name, const Data& data, const GpFitOptions& options);
  GpSurrogate objective_model(const History& history);
  GpSurrogate plain_model(const std::string& name, const Data& data);
  void give_up(std::vector<ExactGp>& processes, std::span<const Point> failed) const;
  PendingSurrogate with_pending(const GpSurrogate& model, std::span<const Point> waiting, Index number) const;
  Eigen::MatrixXd features_of(std::span<const Point> points) const;

  const Space& space_;
  GpProposerOptions options_;
  Index initial_;
  InitialDesign design_;
  std::map<std::string, Model> models_;  ///< by what is modelled
};

}  // namespace tempera
