#pragma once

#include <span>
#include <vector>

#include "core/factorization/scale_balance.hpp"
#include "core/tensor/gram.hpp"
#include "distributed/als/cp_als.hpp"
#include "distributed/als/cp_method.hpp"
#include "distributed/als/cp_state.hpp"
#include "distributed/als/mode_update.hpp"

namespace tempera {

/// One start of CP-ALS on an active rank: the factors and what a sweep updates. See cp_als for the method.
class CpSweep final : public CpMethod {
 public:
  /// `options.constraints` has one a mode. Collective over the active ranks.
  CpSweep(const DistributedTensor& tensor, const CpOptions& options);

  /// Random start values, moved to the nearest allowed ones, and their Gram matrices. Collective over the active ranks.
  void start(int restart) override;
  void restore(const CpStart& start, const CheckpointReader& checkpoint) override;
  /// /factors/0 …, /dual/0 … of the modes that have them (no dual belongs to another start's factors), /previous/0 …
  /// with extrapolation.
  void save(CheckpointWriter& writer, bool without_factors) override;
  void prepare(const SweepCare& care) override;
  StepWish sweep(StepWish wish) override;
  /// The last sweep began beyond the factors before it and was undone, as that did not pay.
  bool undone() const override { return undone_; }
  void describe(CpStart& start) const override;
  double score(const CpStart& start) const override { return start.fit; }
  double cell_loss(double x, double m) const override { return (x - m) * (x - m); }
  std::span<const Index> held_rows(int mode) const override {
    return updates_[static_cast<std::size_t>(mode)].held().rows();
  }
  FactorMatrix held_factor(int mode) const override;
  FactorMatrix take_held_factor(int mode) override;

 private:
  /// What the ranks add up after the update of a mode.
  struct ModeSums {
    std::vector<double> inner;  ///< of each column of the product with that of the factor
    StepWish wish;
  };

  void multiply_and_reduce(int mode);
  RowSums update_rows(int mode, const GramMatrix& h);
  ModeSums sum_up(int mode, const RowSums& rows, StepWish wish);
  void remember_columns(int mode);
  void add_columns_kept(int mode, std::vector<double>& message) const;
  void note_movement(int mode, std::span<const double> inner);
  void fit_weights(const GramMatrix& components, std::span<const double> inner);
  void fit_first_weights(const GramMatrix& h);
  void compute_grams(bool keep_scale = false);
  void normalise(int mode, std::span<const double> norms);
  void impute_held(int mode);
  void update_fit(double inner_product, double model_squared);
  std::vector<double> norms_of(int mode) const;
  bool keeps_unit_columns(int mode) const;
  Index rows_of_unseen(std::size_t mode) const;
  double penalty_of(int mode) const;
  void measure_bounds();
  void balance_scales();
  void extrapolate();
  void undo_if_worse();

  const CpOptions& options_;
  ComponentScale scale_;
  std::vector<ModeUpdate> updates_;
  std::vector<FactorMatrix> unseen_;  ///< held rows that no rank touches
  std::unique_ptr<SweepProducts> products_;
  FactorMatrix product_;  ///< MTTKRP of the mode at hand; room for the longest
  std::vector<GramMatrix> grams_;
  std::vector<double> imputed_;                      ///< of the cells kept apart, in the product of the mode at hand
  std::vector<double> penalties_;                    ///< of each mode
  std::vector<std::vector<ColumnFigures>> figures_;  ///< of the columns of each penalised mode
  bool fresh_ = false;                               ///< no sweep has been made yet
  double fit_ = 0;
  double relative_error_ = 1;
  double fit_resolution_ = 0;
  double objective_ = 0;
  SolveHealth health_;
  SweepCare care_;
  double movement_ = 0;  ///< of the factors in the last sweep that was watched; while one is, the sum of the squares
  std::vector<FactorMatrix> columns_before_;  ///< of the mode at hand: owned rows, unseen rows
  std::vector<double> squares_before_;        ///< of their columns
  // Extrapolation: the factors before, and how many sweeps in a row have paid.
  int momentum_ = 0;
  bool undone_ = false;
  std::vector<FactorMatrix> previous_, previous_unseen_;
  CpStart before_;
  std::vector<FactorMatrix> saved_;  ///< copies that a checkpoint writer points to
};

}  // namespace tempera
