#pragma once

#include <span>
#include <vector>

#include "core/tensor/gram.hpp"
#include "distributed/als/cp_als.hpp"
#include "distributed/als/cp_state.hpp"

namespace tempera {

/// One start of CP-ALS on an active rank: the factors and what a sweep updates. See cp_als for the method.
class CpSweep {
 public:
  CpSweep(const DistributedTensor& tensor, const CpOptions& options);

  /// Random start values and their Gram matrices. Collective over the active ranks.
  void start(int restart);
  /// Goes on where `start` and the matrices /factors/0 … of a checkpoint stand. Collective over the active ranks.
  void restore(const CpStart& start, const CheckpointReader& checkpoint);
  /// Updates every mode once and the fit. Returns what any rank wished. Collective.
  StepWish sweep(StepWish wish);

  double fit() const { return fit_; }
  /// Writes all that the next sweep depends on beside the factors, and the fit, into `start`.
  void describe(CpStart& start) const;
  /// All local rows of a mode, ghosts too; unit columns.
  const FactorMatrix& factor(int mode) const { return factors_[static_cast<std::size_t>(mode)]; }
  /// Copy of the owned rows of a mode.
  FactorMatrix owned_factor(int mode) const;
  /// The same without a copy where this rank has no ghosts; the sweep may not go on afterwards.
  FactorMatrix take_owned_factor(int mode);

 private:
  void update_rows(int mode, const GramMatrix& h);
  void normalise(int mode, std::span<const double> norms);
  void update_fit(double inner_product, double model_squared);

  const DistributedTensor& tensor_;
  const CpOptions& options_;
  std::vector<FactorMatrix> factors_;
  FactorMatrix product_;  ///< MTTKRP of the mode at hand; room for the longest
  std::vector<GramMatrix> grams_;
  std::vector<double> weights_;
  double fit_ = 0;
  double relative_error_ = 1;
  double fit_resolution_ = 0;
  bool damped_ = false;
  bool pseudo_inverse_ = false;
};

}  // namespace tempera
