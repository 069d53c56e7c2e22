#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/tensor/kruskal_tensor.hpp"
#include "distributed/als/cp_als.hpp"
#include "distributed/tensor/distributed_tensor.hpp"
#include "tests/support/tensors.hpp"

namespace tempera::test {

/// The nonzeros that a rank would have read: every size()-th one, in blocks of a few.
std::vector<SparseTensor> dealt(const Communicator& communicator, const SparseTensor& tensor);

/// Distributes a tensor that every rank holds whole.
std::unique_ptr<DistributedTensor> distributed(const Communicator& communicator, const SparseTensor& tensor,
                                               const std::vector<int>& grid = {}, const HoldoutOptions& holdout = {});
std::unique_ptr<DistributedTensor> distributed(const Communicator& communicator, const DenseTensor& tensor,
                                               const std::vector<int>& grid = {}, const HoldoutOptions& holdout = {});

/// Rows that a rank keeps of a matrix every rank holds whole.
FactorMatrix local_rows(const FactorMatrix& whole, const RowLayout& layout);

/// The whole model on every rank; rows that nobody owns are zero.
KruskalTensor gathered(const DistributedTensor& tensor, const CpResult& result);

/// 1 − ‖X − M‖/‖X‖ by loops over all cells.
double direct_fit(const DenseTensor& tensor, const KruskalTensor& model);

/// Process grids of this communicator for a tensor of this order: all factorisations, and one that leaves a rank out.
std::vector<std::vector<int>> grids_to_try(int ranks, const std::vector<Index>& shape);

}  // namespace tempera::test
