#pragma once

#include <span>
#include <vector>

#include "core/tensor/gram.hpp"
#include "distributed/als/cp_als.hpp"
#include "distributed/als/cp_state.hpp"
#include "distributed/als/mode_update.hpp"

namespace tempera {

/// One start of CP-ALS on an active rank: the factors and what a sweep updates. See cp_als for the method.
class CpSweep {
 public:
  /// `options.constraints` has one a mode. Collective over the active ranks.
  CpSweep(const DistributedTensor& tensor, const CpOptions& options);

  /// Random start values, moved to the nearest allowed ones, and their Gram matrices. Collective over the active ranks.
  void start(int restart);
  /// Goes on where `start` and the matrices /factors/0 … of a checkpoint stand. Collective over the active ranks.
  void restore(const CpStart& start, const CheckpointReader& checkpoint);
  /// The matrices of the state as parts of a checkpoint: /factors/0 …, /dual/0 … of the modes that have them,
  /// /previous/0 … with extrapolation. `without_factors`: another start's factors are saved; no dual belongs to them.
  void save(CheckpointWriter& writer, bool without_factors);
  /// Updates every mode once and the fit. Returns what any rank wished. Collective.
  StepWish sweep(StepWish wish);

  double fit() const { return fit_; }
  /// ‖X − M‖² and the penalties.
  double objective() const { return objective_; }
  /// The last sweep began beyond the factors before it and was undone, as that did not pay.
  bool undone() const { return undone_; }
  /// Writes all that the next sweep depends on beside the factors, and the fit, into `start`.
  void describe(CpStart& start) const;
  /// Global rows this rank answers for, increasing, and a copy of their values.
  std::span<const Index> held_rows(int mode) const { return updates_[static_cast<std::size_t>(mode)].held().rows(); }
  FactorMatrix held_factor(int mode) const;
  /// The same without a copy where this rank has no other rows; the sweep may not go on afterwards.
  FactorMatrix take_held_factor(int mode);

 private:
  /// What the ranks add up after the update of a mode.
  struct ModeSums {
    std::vector<double> inner;  ///< of each column of the product with that of the factor
    double l1 = 0;
    StepWish wish;
  };

  void update_rows(int mode, const GramMatrix& h);
  ModeSums sum_up(int mode, StepWish wish);
  void fit_weights(const GramMatrix& components, std::span<const double> inner);
  void fit_first_weights(const GramMatrix& h);
  void compute_grams();
  void normalise(int mode, std::span<const double> norms);
  void update_fit(double inner_product, double model_squared);
  std::vector<double> norms_of(int mode) const;
  bool keeps_unit_columns(int mode) const;
  Index rows_of_unseen(std::size_t mode) const;
  void extrapolate();
  void undo_if_worse();

  const DistributedTensor& tensor_;
  const CpOptions& options_;
  ComponentScale scale_;
  std::vector<ModeUpdate> updates_;
  std::vector<FactorMatrix> factors_;  ///< all local rows
  std::vector<FactorMatrix> unseen_;   ///< held rows that no rank touches
  FactorMatrix product_;               ///< MTTKRP of the mode at hand; room for the longest
  std::vector<GramMatrix> grams_;
  std::vector<double> weights_;
  std::vector<double> penalties_;  ///< of each mode
  bool fresh_ = false;             ///< no sweep has been made yet
  double fit_ = 0;
  double relative_error_ = 1;
  double fit_resolution_ = 0;
  double objective_ = 0;
  SolveHealth health_;
  // Extrapolation: the factors before, and how many sweeps in a row have paid.
  int momentum_ = 0;
  bool undone_ = false;
  std::vector<FactorMatrix> previous_, previous_unseen_;
  CpStart before_;
  std::vector<FactorMatrix> saved_;  ///< copies that a checkpoint writer points to
};

}  // namespace tempera
