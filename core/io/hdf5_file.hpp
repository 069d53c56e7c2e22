#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/base/index.hpp"
#include "core/tensor/dense_tensor.hpp"
#include "core/tensor/kruskal_tensor.hpp"
#include "core/tensor/sparse_tensor.hpp"

/// Tensors in HDF5 files. A dense tensor is a dataset of any number type whose sizes are those of the modes; a sparse
/// one is a group with `indices` (nonzeros × order, integers), `values`, `shape` and the attribute `index_base` (0 if
/// absent). All calls are serial; ranks open the same file and read parts of it.
namespace tempera {

inline constexpr const char* kHdf5DefaultObject = "/tensor";

struct Hdf5TensorInfo {
  bool dense = true;
  std::vector<Index> shape;
  Index nonzeros = 0;    ///< entries stored; of a dense tensor the number of cells
  Index index_base = 0;  ///< sparse only
};

/// What is stored under `object`, without reading values.
/// @throws Error{input} if the file is not HDF5, or holds no such object (the hint lists what it holds), or one of
///         another type or order than a tensor's, or one that was never written; Error as check_input_file does
Hdf5TensorInfo read_hdf5_info(const std::filesystem::path& path, const std::string& object = kHdf5DefaultObject);

/// Cells offsets[n] ≤ i_n < offsets[n] + extents[n] of a dense tensor; buffers are bounded.
/// @pre the block lies inside the shape
/// @throws Error{input} for NaN (unless allow_missing) or infinite cells, naming their 0-based indices;
///         Error{environment} for a block beyond the free memory
DenseTensor read_hdf5_block(const std::filesystem::path& path, const std::string& object,
                            std::span<const Index> offsets, std::span<const Index> extents, bool allow_missing = false);

/// Stored entries first … first + count − 1 of a sparse tensor, with the shape of the whole; 0-based indices.
/// @throws Error{input} naming the row of an index outside the shape or of a value that is not finite;
///         Error{environment} for entries beyond the free memory
SparseTensor read_hdf5_nonzeros(const std::filesystem::path& path, const std::string& object, Index first, Index count);

/// Writes a file with this one tensor. @throws Error{environment} if the disk is full; nothing is left behind then
void write_hdf5(const std::filesystem::path& path, const DenseTensor& tensor,
                const std::string& object = kHdf5DefaultObject);
void write_hdf5(const std::filesystem::path& path, const SparseTensor& tensor,
                const std::string& object = kHdf5DefaultObject);

/// Writes a CP model row block by row block, so that nobody holds a whole factor: /lambda, /factors/0 … (size × rank)
/// and the group /tensor with the attributes shape and nnz.
class KruskalWriter {
 public:
  /// @param nonzeros  of the tensor that was factored, for the attribute nnz
  KruskalWriter(const std::filesystem::path& path, std::span<const Index> shape, Index nonzeros,
                std::span<const double> weights);
  KruskalWriter(KruskalWriter&&) noexcept;
  ~KruskalWriter();

  /// Rows first_row … of the factor of `mode`, packed row by row (no padding).
  /// @pre the rows of a mode arrive in order, without gaps; rows.size() is a multiple of the rank
  void append_rows(int mode, Index first_row, std::span<const double> rows);
  /// The same from a matrix.
  void append_rows(int mode, Index first_row, const FactorMatrix& rows);
  /// The file appears under its name. @pre every row has arrived @throws Error{environment} if the disk is full
  void commit();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Whole model as KruskalWriter wrote it. @throws Error{input} if a part is missing or sizes do not fit each other
KruskalTensor read_hdf5_kruskal(const std::filesystem::path& path);

}  // namespace tempera
