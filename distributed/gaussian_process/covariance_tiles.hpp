#pragma once

#include <Eigen/Core>

#include "core/gaussian_process/exact_gp.hpp"
#include "distributed/linalg/block_cyclic_matrix.hpp"

namespace tempera {

/// Lower triangle of K + m's variance + `added` on the diagonal for all points against themselves: each rank fills its own
/// blocks, strictly above the diagonal of a block is garbage. Not collective.
/// @pre matrix is n × n for n points
void fill_covariance(const GpModel& model, const Kernel::Points& points, double added, BlockCyclicMatrix& matrix);

/// K + m's variance between two sets of points, all blocks. Not collective.
/// @pre matrix has a row a point of `a` and a column a point of `b`
void fill_cross_covariance(const GpModel& model, const Kernel::Points& a, const Kernel::Points& b,
                           BlockCyclicMatrix& matrix);

/// What the factor L of the covariance matrix tells of values y, the same bits on all ranks.
struct SolvedValues {
  Eigen::VectorXd weights;  ///< K⁻¹ y
  double log_evidence = 0;  ///< log N(y; 0, K)
};
/// Collective. Cost 2n² over the ranks.
SolvedValues solve_values(const BlockCyclicMatrix& factor, const Eigen::VectorXd& values);

/// Σ_ij W_ij ∂K_ij with W = ½ (α αᵀ − K⁻¹), the same on all ranks: the sums of the blocks are added in the order of the
/// blocks, whichever rank has them. Collective.
/// @param inverse  lower triangle of K⁻¹
/// @param weights  α = K⁻¹ y
/// Cost: features() · n²/2 over the ranks.
EvidenceGradient contract_gradient(const GpModel& model, const Kernel::Points& points, const Eigen::VectorXd& weights,
                                   const BlockCyclicMatrix& inverse);

}  // namespace tempera
