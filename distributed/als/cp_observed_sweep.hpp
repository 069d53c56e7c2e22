#pragma once

#include <string>
#include <vector>

#include "core/factorization/row_least_squares.hpp"
#include "core/tensor/gram.hpp"
#include "distributed/als/cp_als.hpp"
#include "distributed/als/cp_method.hpp"

namespace tempera {

/// One start of CP least squares over the observed cells on an active rank (weighted ALS with weights 0 and 1).
///
/// Minimises Σ (x − m)² over the stored cells, and the penalties. Each mode in turn: a pass over the local cells sums the
/// normal equations of every row, Σ π πᵀ and Σ x π; they are reduced to the row owners, who solve each row with its own
/// (see RowLeastSquares). The objective is summed cell by cell after each sweep and never rises but for the damping of
/// singular rows. Scale and weights as in CpSweep.
/// Cost a sweep: about N·nnz·rank² operations and rank³ a row. Memory: the rank (rank + 3) / 2 sums of each row of the
/// longest mode beside the factors.
/// Tomasi & Bro 2005 (missing values); Zhou et al. 2008 (row by row).
class CpObservedSweep final : public CpMethod {
 public:
  /// `options.constraints` has one a mode. @pre !why_not_observed of them
  CpObservedSweep(const DistributedTensor& tensor, const CpOptions& options);

  void start(int restart) override;
  void restore(const CpStart& start, const CheckpointReader& checkpoint) override;
  void save(CheckpointWriter& writer, bool without_factors) override;
  StepWish sweep(StepWish wish) override;
  void describe(CpStart& start) const override;
  double score(const CpStart& start) const override { return start.fit; }
  double cell_loss(double x, double m) const override { return (x - m) * (x - m); }
  FactorMatrix take_held_factor(int mode) override;

 private:
  void update_rows(int mode);
  StepWish finish_mode(int mode, StepWish wish);
  void measure();
  bool keeps_unit_columns(int mode) const;

  const CpOptions& options_;
  ComponentScale scale_;
  std::vector<RowLeastSquares> solvers_;
  std::vector<FactorMatrix> duals_;  ///< of the owned rows; no rows where ADMM is not used
  FactorMatrix moments_;             ///< of the mode at hand; room for the longest
  std::vector<GramMatrix> grams_;
  std::vector<double> penalties_;
  double relative_error_ = 1;
  double fit_resolution_ = 0;
  double objective_ = 0;
  bool damped_ = false;
  bool pseudo_inverse_ = false;
};

/// What rows with few observations or none mean for the model: empty where every row has at least `rank` observed cells.
/// Collective over the active ranks.
std::vector<std::string> notes_on_observed_rows(const DistributedTensor& tensor, const CpOptions& options);

/// Refuses options that a fit to the observed cells cannot meet. @throws Error{usage} with the reason
void check_observed_options(const DistributedTensor& tensor, const CpOptions& options);

}  // namespace tempera
