#pragma once

#include <span>
#include <vector>

#include "core/tensor/gram.hpp"
#include "distributed/als/cp_als.hpp"
#include "distributed/als/cp_method.hpp"
#include "distributed/als/cp_state.hpp"

namespace tempera {

/// One start of CP-ALS on an active rank: the factors and what a sweep updates. See cp_als for the method.
class CpSweep final : public CpMethod {
 public:
  CpSweep(const DistributedTensor& tensor, const CpOptions& options);

  /// Random start values and their Gram matrices. Collective over the active ranks.
  void start(int restart) override;
  void restore(const CpStart& start, const CheckpointReader& checkpoint) override;
  StepWish sweep(StepWish wish) override;
  void describe(CpStart& start) const override;
  double score(const CpStart& start) const override { return start.fit; }
  double cell_loss(double x, double m) const override { return (x - m) * (x - m); }
  FactorMatrix take_owned_factor(int mode) override;

 private:
  void update_rows(int mode, const GramMatrix& h);
  void normalise(int mode, std::span<const double> norms);
  void impute_held(int mode);
  void update_fit(double inner_product, double model_squared);

  const CpOptions& options_;
  FactorMatrix product_;  ///< MTTKRP of the mode at hand; room for the longest
  std::vector<GramMatrix> grams_;
  std::vector<double> imputed_;  ///< of the cells kept apart, in the product of the mode at hand
  double fit_ = 0;
  double relative_error_ = 1;
  double fit_resolution_ = 0;
  bool damped_ = false;
  bool pseudo_inverse_ = false;
};

}  // namespace tempera
