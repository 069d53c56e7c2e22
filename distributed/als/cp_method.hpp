#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "distributed/als/cp_state.hpp"
#include "distributed/checkpoint/checkpoints.hpp"
#include "distributed/tensor/distributed_tensor.hpp"

namespace tempera {

/// How the next sweep is made, beside what the options say.
struct SweepCare {
  bool watch = false;  ///< measure how far the factors move
  bool swamp = false;  ///< the start is in a swamp
};

/// What CpRun needs of a method: one start of it on an active rank, with the local rows of all factors.
class CpMethod {
 public:
  virtual ~CpMethod() = default;
  CpMethod(const CpMethod&) = delete;
  CpMethod& operator=(const CpMethod&) = delete;

  /// Random start values. Collective over the active ranks, as are restore and sweep.
  virtual void start(int restart) = 0;
  /// Goes on where `start` and the matrices /factors/0 … of a checkpoint stand.
  virtual void restore(const CpStart& start, const CheckpointReader& checkpoint) = 0;
  /// The matrices of the state as parts of a checkpoint. `without_factors`: another start's factors are saved.
  virtual void save(CheckpointWriter& writer, bool without_factors);
  /// Before a sweep.
  virtual void prepare(const SweepCare&) {}
  /// Updates every mode once and the figures of merit. Returns what any rank wished.
  virtual StepWish sweep(StepWish wish) = 0;
  /// The last sweep was undone, as it did not pay: it says nothing of how near the end is.
  virtual bool undone() const { return false; }
  /// Writes all that the next sweep depends on beside the factors, and the figures of merit, into `start`.
  virtual void describe(CpStart& start) const = 0;
  /// What grows from sweep to sweep, is compared with the tolerance and decides between starts.
  virtual double score(const CpStart& start) const = 0;
  /// Where the loss has one.
  virtual std::optional<double> deviance(const CpStart&) const { return std::nullopt; }

  const Communicator& ranks() const { return tensor_.grid().active_ranks(); }

  /// What the loss of a cell x with the model value m is; its sum over the cells is what the fit minimises.
  virtual double cell_loss(double x, double m) const = 0;
  /// For each stratum of the holdout Σ loss and Σ loss² over its cells; empty without one. Collective.
  std::vector<double> holdout_sums() const;

  /// Global rows this rank answers for, increasing, and a copy of their values.
  virtual std::span<const Index> held_rows(int mode) const { return tensor_.rows(mode).owned_rows(); }
  virtual FactorMatrix held_factor(int mode) const;
  /// The same without a copy where this rank has no other rows; the method may not go on afterwards.
  virtual FactorMatrix take_held_factor(int mode);

 protected:
  CpMethod(const DistributedTensor& tensor, Index rank);

  /// Model values of the cells kept apart on this rank.
  std::vector<double> held_values() const { return model_values(tensor_.holdout().cells, factors_, weights_); }

  const DistributedTensor& tensor_;
  /// To be called where factor rows have changed, before products of the next sweep step use them.
  void moved(int mode) { versions_[static_cast<std::size_t>(mode)] = ++moves_; }
  void all_moved() {
    for (int mode = 0; mode < tensor_.order(); ++mode) moved(mode);
  }

  std::vector<FactorMatrix> factors_;    ///< all local rows, ghosts too
  std::vector<std::uint64_t> versions_;  ///< of the factors: no two states of one factor share one
  std::vector<double> weights_;

 private:
  std::uint64_t moves_ = 0;
};

}  // namespace tempera
