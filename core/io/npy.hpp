#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "core/base/index.hpp"
#include "core/tensor/dense_tensor.hpp"

/// NumPy arrays (.npy, versions 1 to 3): either byte order, C or Fortran order, numbers and booleans; read as double.
namespace tempera {

struct NpyHeader {
  enum class Kind { real, signed_integer, unsigned_integer, boolean };
  std::vector<Index> shape;
  Kind kind = Kind::real;
  int item_bytes = 8;
  bool big_endian = false;
  bool fortran_order = false;    ///< index of mode 0 fastest, as in memory here; otherwise that of the last mode
  std::int64_t data_offset = 0;  ///< of the first value in the file
};

struct NpyOptions {
  bool allow_missing = false;  ///< NaN stands for a missing cell; otherwise NaN is refused. Infinities always are
};

/// Reads the header alone and checks it against the size of the file, before anything is allocated.
/// @throws Error{input} for a wrong magic number, a header that is cut short or malformed, a type that is not a plain
///         number (object, structured, complex, text), an order outside 2..8, an empty mode, or a file whose length
///         does not match the claimed shape
NpyHeader read_npy_header(const std::filesystem::path& path);

/// The cells offsets[n] ≤ i_n < offsets[n] + extents[n], column-major; buffers are bounded, so ranks can each read
/// their block of one file. Any extent may be 0.
/// @pre the block lies inside header.shape
/// @throws Error{input} naming the coordinates (0-based, of the whole array) of a cell that is NaN or infinite, or of
///         an integer that a double cannot hold exactly; Error{environment} for a block beyond the free memory
DenseTensor read_npy_block(const std::filesystem::path& path, const NpyHeader& header, std::span<const Index> offsets,
                           std::span<const Index> extents, const NpyOptions& options = {});

/// The whole array.
DenseTensor read_npy(const std::filesystem::path& path, const NpyOptions& options = {});

/// Version 1, little endian f8, Fortran order. @throws Error{environment} if the disk is full; nothing is left behind then
void write_npy(const std::filesystem::path& path, const DenseTensor& tensor);

}  // namespace tempera
