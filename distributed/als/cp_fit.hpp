#pragma once

#include <span>

#include "distributed/tensor/distributed_tensor.hpp"

namespace tempera {

struct CpFit {
  double relative_error = 1;  ///< ‖X − M‖ / ‖X‖
  double resolution = 0;      ///< it may be off by this much through cancellation
  double residual_squared = 0;
};

/// Fit of a CP model from ‖X − M‖² = ‖X‖² − 2⟨X, M⟩ + ‖M‖²; where that cancels (below 1e-10 ‖X‖²) the stored cells are
/// summed directly. Over the cells that are not kept apart. The same on all active ranks. Collective over them.
///
/// @param factors  all local rows; the model is Σ_r weights[r] times the outer products of their columns
/// @throws Error{numerical} when the model overflows
/// Where absent cells are not observed this is observed_fit.
CpFit fit_of(const DistributedTensor& tensor, std::span<const FactorMatrix> factors, std::span<const double> weights,
             double inner_product, double model_squared);

/// Fit over the stored cells that are not kept apart, summed cell by cell. Collective over the active ranks.
/// @throws Error{numerical} when the model overflows
CpFit observed_fit(const DistributedTensor& tensor, std::span<const FactorMatrix> factors,
                   std::span<const double> weights);

}  // namespace tempera
