#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/bayesopt/acquisition.hpp"
#include "core/bayesopt/acquisition_optimizer.hpp"
#include "core/bayesopt/followed_gp.hpp"
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
  std::shared_ptr<ModelTeam> team;  ///< those who compute the proposals; null: this process
};

/// Bayesian optimisation by exact Gaussian processes of the objective, of the constraints that trials report, of failing and
/// of the cost's logarithm. Pending trials are fantasies (Snoek, Larochelle & Adams 2012, §3.2): each draw of the
/// hyperparameters has outcomes of its own, drawn jointly.
///
/// The models follow the history (FollowedGp): a proposal depends on the history it is given, not on what was proposed before.
/// Nor does it depend on the team, up to rounding where the models are spread over it; all members propose alike. Cost: see
/// HyperPosterior; S n² m for m candidates under S draws.
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
  History sort(std::span<const Trial> finished) const;
  Proposal begin(Index number, const History& history, std::span<const Point> waiting) const;
  FollowedGp& followed(const std::string& name, const Data& data, const GpFitOptions& options);
  GpSurrogate objective_model(const History& history);
  GpSurrogate plain_model(const std::string& name, const Data& data);
  std::vector<GpSurrogate::Process> giving_up(const FollowedGp& model, std::span<const Point> failed) const;
  PendingSurrogate with_pending(const GpSurrogate& model, std::span<const Point> waiting, Index number) const;
  Eigen::MatrixXd features_of(std::span<const Point> points) const;

  const Space& space_;
  GpProposerOptions options_;
  Index initial_;
  InitialDesign design_;
  std::map<std::string, FollowedGp> models_;  ///< by what is modelled
};

}  // namespace tempera
