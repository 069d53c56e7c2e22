#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "distributed/communicator/communicator.hpp"
#include "distributed/tensor/distributed_tensor.hpp"

namespace tempera {

struct LoadOptions {
  Index index_base = 1;     ///< of text tensors
  std::vector<Index> dims;  ///< declared sizes, at least the largest indices; empty: as in the file
  DistributionOptions distribution;
};

/// Reads a tensor file (see TensorFile for names and formats) on all ranks and distributes it. Collective.
///
/// Text is read by byte ranges, one a rank; a compressed file is streamed by rank 0 and dealt out in blocks; arrays
/// are read block by block by the rank that keeps the block. No rank holds the whole file.
/// @throws Error{input} naming FILE:LINE, Error{usage} for a grid that does not fit
std::unique_ptr<DistributedTensor> load_tensor(const Communicator& communicator, const std::string& name,
                                               const LoadOptions& options = {});

/// A tensor as it lies in its file, not distributed yet.
struct TensorContent {
  std::vector<Index> shape;
  bool dense = false;
  std::vector<SparseTensor> blocks;  ///< the share of this rank; none of dense tensors, whose cells are not kept
};

/// Reads what load_tensor reads and stops before it is distributed. Collective. @throws as load_tensor
TensorContent read_tensor(const Communicator& communicator, const std::string& name, const LoadOptions& options = {});

/// SHA-256 of a file as 64 hexadecimal digits, the same as `sha256sum` prints: the ranks hash consecutive byte ranges
/// one after the other, so that none reads the whole file. Collective.
std::string sha256_of_file(const Communicator& communicator, const std::filesystem::path& path);

}  // namespace tempera
