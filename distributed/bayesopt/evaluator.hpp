#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "core/bayesopt/trial.hpp"

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

/// What a worker does with trials. Lives on every rank that works; whatever goes wrong with a trial is its result.
class Evaluator {
 public:
  virtual ~Evaluator() = default;
  /// How many trials this rank can have on their way at once.
  virtual Index slots() const { return 1; }
  /// @pre fewer than slots() trials are on their way
  virtual void begin(const TrialRequest& request) = 0;
  /// The answer of a trial that has ended, if there is one. Evaluators that compute on this very process do it here.
  virtual std::optional<TrialAnswer> poll() = 0;
  /// Ends what is still on its way, without answers.
  virtual void cancel() = 0;
};

/// A C++ objective, one trial at a time.
class FunctionEvaluator : public Evaluator {
 public:
  using Function = std::function<TrialResult(const TrialRequest&)>;
  /// @param function  may throw: the trial has failed then. A value that is not finite makes it invalid.
  explicit FunctionEvaluator(Function function) : function_(std::move(function)) {}
  void begin(const TrialRequest& request) override { request_ = request; }
  std::optional<TrialAnswer> poll() override;
  void cancel() override { request_.reset(); }

 private:
  Function function_;
  std::optional<TrialRequest> request_;
};

}  // namespace tempera
