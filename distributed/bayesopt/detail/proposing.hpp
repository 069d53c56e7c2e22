#pragma once

#include <future>
#include <optional>
#include <vector>

#include "distributed/bayesopt/detail/messages.hpp"
#include "distributed/bayesopt/scheduler.hpp"
#include "distributed/communicator/courier.hpp"

namespace tempera::detail {

/// One proposal on its way at a time, while rank 0 serves.
class Proposing {
 public:
  virtual ~Proposing() = default;
  virtual void begin(ProposalBasis basis) = 0;
  virtual bool running() const = 0;
  /// Once it is there. @throws what the proposer does
  virtual std::optional<Proposal> take() = 0;
  /// What ranks of the model answer.
  virtual void arrived(ModelAnswer answer) { static_cast<void>(answer); }
  /// Until nothing of it runs on this rank.
  virtual void finish() = 0;
};

/// By a proposer of this rank, on a thread of its own or, if not `beside`, when it is taken.
class ProposingHere final : public Proposing {
 public:
  /// @param proposer  outlives this
  ProposingHere(Proposer& proposer, bool beside) : proposer_(proposer), beside_(beside) {}
  void begin(ProposalBasis basis) override;
  bool running() const override { return proposal_.valid(); }
  std::optional<Proposal> take() override;
  void finish() override;

 private:
  Proposer& proposer_;
  bool beside_;
  std::future<Proposal> proposal_;
};

/// By the ranks of the model, which remember the trials that they were told of before.
class ProposingElsewhere final : public Proposing {
 public:
  /// @param courier  outlives this  @param ranks  of the model; the first one answers
  ProposingElsewhere(Courier& courier, std::vector<int> ranks) : courier_(courier), ranks_(std::move(ranks)) {}
  void begin(ProposalBasis basis) override;
  bool running() const override { return running_; }
  std::optional<Proposal> take() override;
  void arrived(ModelAnswer answer) override { answer_ = std::move(answer.proposal); }
  void finish() override {}

 private:
  Courier& courier_;
  std::vector<int> ranks_;
  Index told_ = 0;  ///< trials that these ranks know
  bool running_ = false;
  std::optional<Proposal> answer_;
};

}  // namespace tempera::detail
