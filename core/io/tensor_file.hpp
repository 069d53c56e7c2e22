#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <variant>
#include <vector>

#include "core/base/index.hpp"
#include "core/io/tns.hpp"
#include "core/tensor/dense_tensor.hpp"
#include "core/tensor/sparse_tensor.hpp"

namespace tempera {

/// A tensor as people name it on the command line: a file whose extension tells the format, and for HDF5 an object in it.
struct TensorFile {
  enum class Format { tns, tns_gz, npy, hdf5 };

  std::filesystem::path path;
  Format format = Format::tns;
  std::string object;  ///< HDF5 only; "/tensor" unless named as FILE.h5:/PATH

  /// @throws Error{usage} for an extension that is none of .tns .tns.gz .npy .h5 .hdf5
  static TensorFile parse(const std::string& name);

  bool is_text() const { return format == Format::tns || format == Format::tns_gz; }
  /// Whether ranks can read parts of it at the same time; a gzip stream can only be read from its beginning.
  bool can_be_read_in_parts() const { return format != Format::tns_gz; }
};

/// What is known of a tensor without reading its values.
struct TensorFileInfo {
  bool dense = false;
  int order = 0;
  std::vector<Index> shape;  ///< empty for text without declared sizes: only reading it all tells
  Index nonzeros = -1;       ///< entries stored, duplicates included; −1 for text
  std::int64_t file_bytes = 0;
};

/// Reads headers only (of text, lines up to the first with data).
/// @throws Error of the format's reader
TensorFileInfo read_tensor_info(const TensorFile& file, const TnsOptions& text_options = {});

using AnyTensor = std::variant<DenseTensor, SparseTensor>;

struct TensorReadOptions {
  TnsOptions text{};           ///< index base of text; dims also enlarges a sparse HDF5 tensor
  bool allow_missing = false;  ///< NaN cells of dense data are kept
};

/// The whole tensor on one process; entries with equal coordinates are kept apart.
/// @throws Error{shape} if dims are given and do not fit what is stored; Error of the format's reader
AnyTensor read_tensor(const TensorFile& file, const TensorReadOptions& options = {});

const std::vector<Index>& shape_of(const AnyTensor& tensor);

}  // namespace tempera
