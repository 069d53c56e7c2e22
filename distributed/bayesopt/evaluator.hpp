#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "core/bayesopt/trial.hpp"
#include "distributed/communicator/communicator.hpp"

namespace tempera {

struct TrialRequest {
  Index number = 0;
  Index attempt = 0;
  std::uint64_t seed = 0;  ///< of whatever is random in the trial: the same for every attempt
  Point point;
};

struct TrialAnswer {
  Index number = 0;
  Index attempt = 0;
  TrialResult result;
};

/// What a group of ranks does with trials. Lives on every rank that works; whatever goes wrong with a trial is its result.
class Evaluator {
 public:
  virtual ~Evaluator() = default;
  /// Once, before the first trial: the ranks that take this rank's trials. Collective over them.
  virtual void join(const Communicator& group) { static_cast<void>(group); }
  /// Whether all ranks of a group begin and poll each trial, at the same time; else only the first of them does, and the
  /// others rest. @pre of true: slots() is 1
  virtual bool is_collective() const { return false; }
  /// How many trials a group can have on their way at once.
  virtual Index slots() const { return 1; }
  /// @pre fewer than slots() trials are on their way
  virtual void begin(const TrialRequest& request) = 0;
  /// The answer of a trial that has ended, if there is one; that of the first rank of a group counts. Evaluators that
  /// compute on this very process do it here.
  virtual std::optional<TrialAnswer> poll() = 0;
  /// Ends what is still on its way, without answers.
  virtual void cancel() = 0;
};

/// A C++ objective, one trial at a time. It may throw: the trial has failed then. A value that is not finite makes it invalid.
class FunctionEvaluator : public Evaluator {
 public:
  using Function = std::function<TrialResult(const TrialRequest& request)>;
  /// Nothing: the trial was left at a request to stop, and has no answer. The same on all ranks.
  using GroupFunction =
      std::function<std::optional<TrialResult>(const TrialRequest& request, const Communicator& group)>;

  /// Of the first rank of each group.
  explicit FunctionEvaluator(Function function)
      : function_(
            [own = std::move(function)](const TrialRequest& request, const Communicator&) { return own(request); }) {}
  /// Of all ranks of each group together, with an error domain and region table of their own. The value of its first rank counts; what another rank throws, or reports as not ok,
  /// is the result for all, and nobody waits for that rank any more.
  explicit FunctionEvaluator(GroupFunction function) : function_(std::move(function)), collective_(true) {}

  void join(const Communicator& group) override { group_.emplace(group.split_independent(0, group.rank())); }
  bool is_collective() const override { return collective_; }
  void begin(const TrialRequest& request) override { request_ = request; }
  std::optional<TrialAnswer> poll() override;
  void cancel() override { request_.reset(); }

 private:
  GroupFunction function_;
  bool collective_ = false;
  std::optional<Communicator> group_;
  std::optional<TrialRequest> request_;
};

}  // namespace tempera
