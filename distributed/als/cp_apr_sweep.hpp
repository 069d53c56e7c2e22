#pragma once

#include <span>
#include <vector>

#include "core/factorization/poisson.hpp"
#include "core/tensor/count_products.hpp"
#include "core/tensor/gram.hpp"
#include "distributed/als/cp_als.hpp"
#include "distributed/als/cp_method.hpp"

namespace tempera {

/// How the rows of a mode are improved in their turn.
struct CountSteps {
  int steps;
  CountContent content;  ///< of the products that each step asks for
};
CountSteps count_steps(CountSolver chosen);

/// One start of CP-APR on an active rank. Columns have unit sum, all the scale is in the weights. See cp_apr.
class CpAprSweep final : public CpMethod {
 public:
  /// @param total  Σ x > 0 over all cells
  CpAprSweep(const DistributedTensor& tensor, const CpOptions& options, double total);

  void start(int restart) override;
  void restore(const CpStart& start, const CheckpointReader& checkpoint) override;
  StepWish sweep(StepWish wish) override;
  void describe(CpStart& start) const override;
  double score(const CpStart& start) const override { return -start.deviance / total_; }
  std::optional<double> deviance(const CpStart& start) const override { return start.deviance; }
  double cell_loss(double x, double m) const override;
  FactorMatrix take_held_factor(int mode) override;

 private:
  void sum_others(int mode);
  void improve_rows(int mode, bool first);
  void step_rows(FactorMatrix& factor, const RowLayout& layout, bool first);
  std::vector<double> normalise(int mode, std::span<const double> more);
  void scale_columns(int mode, std::span<const double> factors);
  void measure();

  const CpOptions& options_;
  bool newton_;
  CountSteps way_;
  double total_;
  FactorMatrix product_;  ///< derivatives of the mode at hand; room for the longest
  /// Σ π over the observed cells of a row where absent ones are not observed, else over those that are kept apart; no
  /// rows if neither is needed.
  FactorMatrix row_sums_;
  double kkt_ = 0;  ///< on this rank, then on all
  double deviance_ = 0;
  double relative_error_ = 1;
  double fit_resolution_ = 0;
};

}  // namespace tempera
