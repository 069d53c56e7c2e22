#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/bayesopt/acquisition.hpp"
#include "core/bayesopt/acquisition_optimizer.hpp"
#include "core/bayesopt/failure_model.hpp"
#include "core/bayesopt/followed_gp.hpp"
#include "core/bayesopt/gp_surrogate.hpp"
#include "core/bayesopt/initial_design.hpp"
#include "core/bayesopt/pending_surrogate.hpp"
#include "core/bayesopt/proposer.hpp"
#include "core/bayesopt/transfer.hpp"
#include "core/bayesopt/warm_start.hpp"

namespace tempera {

struct GpProposerOptions {
  std::uint64_t seed = 0;
  /// Points of the initial design; 0: twice the parameters, at least 4. Trials of the same task are part of it; with
  /// trials of other tasks half as many do, some of them the best of those.
  Index initial = 0;
  std::vector<SourceTrials> sources = {};  ///< other runs to learn from
  GpFitOptions model;
  AcquisitionRule acquisition;
  std::vector<std::string> constraints;  ///< names of the values that trials report, which must be ≤ 0
  bool per_cost = false;                 ///< divide by the expected cost
  Index fantasies = 8;                   ///< least number of outcomes of pending trials that are drawn
  SearchOptions search;
  std::shared_ptr<ModelTeam> team;  ///< those who compute the proposals; null: this process
};

/// Bayesian optimisation by exact Gaussian processes of the objective, of the constraints that trials report and of the cost's
/// logarithm, and by a classifier of failing. Pending trials are fantasies (Snoek, Larochelle & Adams 2012, §3.2): each draw
/// of the hyperparameters has outcomes of its own, drawn jointly. Trials of the same task in other runs count as if this run
/// had made them before its first; those of other tasks say where to look (see Transfer).
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
    std::vector<Point> other;  ///< tried without a value
    bool any_failed = false, any_feasible = false;
  };
  History sort(std::span<const Trial> finished) const;
  void add(const Trial& trial, History& history) const;
  Proposal begin(Index number, const History& history, std::span<const Point> waiting) const;
  const Transfer* transfer();
  FollowedGp& followed(const std::string& name, const Data& data, const GpFitOptions& options,
                       const Transfer* transfer = nullptr);
  GpSurrogate objective_model(const History& history);
  GpSurrogate plain_model(const std::string& name, const Data& data);
  PendingSurrogate with_pending(const Surrogate& model, const GpSurrogate& processes, std::span<const Point> waiting,
                                Index number) const;
  Eigen::MatrixXd features_of(std::span<const Point> points, const Transfer* transfer = nullptr) const;

  const Space& space_;
  GpProposerOptions options_;
  std::vector<SourceTrials> same_, other_;  ///< sources of this task, of other tasks
  Index tried_before_ = 0;                  ///< trials of this task that succeeded in other runs
  Index initial_;
  std::vector<Point> first_;  ///< the best of other tasks, before the design
  InitialDesign design_;
  FailureModel failures_;
  std::optional<Transfer> transfer_;
  std::map<std::string, FollowedGp> models_;  ///< by what is modelled
};

}  // namespace tempera
