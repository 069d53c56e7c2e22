#include "core/io/tensor_file.hpp"

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/io/hdf5_file.hpp"
#include "core/io/input_file.hpp"
#include "core/io/npy.hpp"

namespace tempera {

namespace {

/// Sizes from --dims can enlarge a sparse tensor; a dense one has a cell for every index already.
void check_dims_of_dense(const TensorFile& file, const std::vector<Index>& shape, const std::vector<Index>& dims) {
  if (dims.empty() || dims == shape) return;
  throw Error(Category::shape, file.path.string(),
              fmt::format("a dense tensor of shape {} cannot be given the sizes {}", fmt::join(shape, " x "),
                          fmt::join(dims, " x ")),
              "leave --dims out: it is for sparse tensors");
}

}  // namespace

TensorFile TensorFile::parse(const std::string& name) {
  for (const char* extension : {".h5", ".hdf5"}) {
    const std::string marked = std::string(extension) + ":";
    const std::size_t at = name.rfind(marked);
    const bool whole = std::string_view(name).ends_with(extension);
    if (at == std::string::npos && !whole) continue;
    if (whole) return {name, Format::hdf5, kHdf5DefaultObject};
    std::string object = name.substr(at + marked.size());
    while (!object.empty() && object.back() == '/') object.pop_back();
    if (!object.starts_with('/')) object = fmt::format("/{}", object);
    if (object == "/") object = kHdf5DefaultObject;
    return {name.substr(0, at + marked.size() - 1), Format::hdf5, object};
  }
  if (std::string_view(name).ends_with(".tns")) return {name, Format::tns, {}};
  if (std::string_view(name).ends_with(".tns.gz")) return {name, Format::tns_gz, {}};
  if (std::string_view(name).ends_with(".npy")) return {name, Format::npy, {}};
  throw Error(Category::usage, name, "the extension names no tensor format",
              "known are .tns .tns.gz .npy .h5 .hdf5 and FILE.h5:/PATH");
}

TensorFileInfo read_tensor_info(const TensorFile& file, const TnsOptions& text_options) {
  TensorFileInfo info;
  info.file_bytes = check_input_file(file.path);
  const auto& dims = text_options.dims;
  if (file.is_text()) {
    info.order = tns_order(file.path, text_options);
    info.shape = dims;
  } else if (file.format == TensorFile::Format::npy) {
    info.dense = true;
    info.shape = read_npy_header(file.path).shape;
    info.nonzeros = 1;
    for (const Index size : info.shape) info.nonzeros *= size;
  } else {
    const Hdf5TensorInfo stored = read_hdf5_info(file.path, file.object);
    info.dense = stored.dense;
    info.nonzeros = stored.nonzeros;
    SparseTensor enlarged(stored.shape);
    if (!stored.dense && !dims.empty()) enlarged.enlarge(dims);
    info.shape = enlarged.shape();
  }
  if (info.dense) check_dims_of_dense(file, info.shape, dims);
  if (!info.shape.empty()) info.order = static_cast<int>(info.shape.size());
  return info;
}

AnyTensor read_tensor(const TensorFile& file, const TensorReadOptions& options) {
  if (file.is_text()) return read_tns(file.path, options.text);
  const TensorFileInfo info = read_tensor_info(file, options.text);
  const std::vector<Index> start(info.shape.size(), 0);
  if (file.format == TensorFile::Format::npy) return read_npy(file.path, {.allow_missing = options.allow_missing});
  if (info.dense) return read_hdf5_block(file.path, file.object, start, info.shape, options.allow_missing);
  SparseTensor tensor = read_hdf5_nonzeros(file.path, file.object, 0, info.nonzeros);
  if (!options.text.dims.empty()) tensor.enlarge(options.text.dims);
  return tensor;
}

const std::vector<Index>& shape_of(const AnyTensor& tensor) {
  return std::visit([](const auto& held) -> const std::vector<Index>& { return held.shape(); }, tensor);
}

}  // namespace tempera
