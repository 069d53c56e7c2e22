#pragma once

#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include "core/base/random_stream.hpp"
#include "distributed/als/cp_als.hpp"
#include "tests/support/distributed.hpp"

namespace tempera::test {

/// About this share of the cells of a dense tensor, by coordinates alone; none of those whose first index is `without`.
inline SparseTensor observed(const DenseTensor& tensor, double share, std::uint64_t seed, Index without = -1) {
  SparseTensor result(tensor.shape());
  std::vector<Index> cell(tensor.shape().size(), 0);
  RandomStream stream(seed, "test-observed", {});
  do {
    if (stream.uniform() < share && cell[0] != without) result.append(cell, tensor(cell));
  } while (next_cell(cell, tensor.shape()));
  return result;
}

inline std::unique_ptr<DistributedTensor> spread(const Communicator& communicator, const SparseTensor& tensor,
                                                 const std::vector<int>& grid = {},
                                                 const HoldoutOptions& holdout = {}) {
  DistributionOptions options;
  options.grid = grid;
  options.holdout = holdout;
  options.missing = Missing::unobserved;
  return distribute(communicator, tensor.shape(), dealt(communicator, tensor), options);
}

/// Positive factors of well-separated components, so that the best model is the planted one.
inline KruskalTensor planted_positive(const std::vector<Index>& shape, Index rank, std::uint64_t seed) {
  KruskalTensor model{std::vector<double>(static_cast<std::size_t>(rank), 1.0), random_factors(shape, rank, seed)};
  for (FactorMatrix& factor : model.factors)
    for (Index i = 0; i < factor.rows(); ++i)
      for (Index r = 0; r < rank; ++r) factor(i, r) = std::abs(factor(i, r)) + (i % rank == r ? 1.0 : 0.0);
  return model;
}

inline std::vector<Index> cell_of(const SparseTensor& tensor, std::size_t k) {
  std::vector<Index> cell;
  for (int mode = 0; mode < tensor.order(); ++mode) cell.push_back(tensor.indices(mode)[k]);
  return cell;
}

/// Σ (x − m)² and Σ x² over the listed cells.
inline std::pair<double, double> squares(const SparseTensor& tensor, const KruskalTensor& model) {
  double residual = 0, norm = 0;
  for (std::size_t k = 0; k < static_cast<std::size_t>(tensor.nonzeros()); ++k) {
    residual += std::pow(tensor.values()[k] - model(cell_of(tensor, k)), 2);
    norm += std::pow(tensor.values()[k], 2);
  }
  return {residual, norm};
}

inline CpOptions options_for(Index rank, int sweeps, double tolerance = 0) {
  CpOptions options;
  options.rank = rank;
  options.iterations = sweeps;
  options.tolerance = tolerance;
  return options;
}

inline std::vector<Constraint> everywhere(const Constraint& constraint, std::size_t order) {
  return std::vector<Constraint>(order, constraint);
}

}  // namespace tempera::test
