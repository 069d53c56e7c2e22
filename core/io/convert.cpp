#include "core/io/convert.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>

#include "core/base/error.hpp"
#include "core/base/memory.hpp"
#include "core/base/system_error.hpp"
#include "core/base/text.hpp"
#include "core/io/hdf5_file.hpp"
#include "core/io/labels.hpp"
#include "core/io/ngrams.hpp"
#include "core/io/npy.hpp"

namespace tempera {

namespace {
using Layout = ConvertOptions::Layout;

void check_absent(const std::filesystem::path& path, bool overwrite) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (std::filesystem::is_directory(status))
    throw Error(Category::environment, path.string(), "the output is an existing folder", "name a file inside it");
  if (std::filesystem::exists(status) && !overwrite)
    throw Error(Category::environment, path.string(), "the output exists already",
                "pass --overwrite to replace it, or choose another name");
}

void check_output(const TensorFile& output, const ConvertOptions& options, bool with_labels) {
  if (output.format == TensorFile::Format::npy && options.layout == Layout::sparse)
    throw Error(Category::usage, "--sparse", "a .npy file holds dense arrays only",
                "write .tns or .h5, or leave --sparse out");
  check_absent(output.path, options.overwrite);
  if (with_labels) check_absent(labels_path(output.path), options.overwrite);
  const auto folder = output.path.has_parent_path() ? output.path.parent_path() : std::filesystem::path(".");
  if (::access(folder.c_str(), W_OK) != 0) throw write_error(output.path, errno);
}

DenseTensor make_dense(const SparseTensor& sparse, const TensorFile& output, const ConvertOptions& options) {
  const double needed = 8 * cell_count(sparse.shape());
  const double allowed = options.memory_bytes.value_or(available_memory());
  if (needed > allowed)
    throw Error(Category::environment, output.path.string(),
                fmt::format("a dense tensor of shape {} takes {}, {} are free", fmt::join(sparse.shape(), " x "),
                            human_bytes(needed), human_bytes(allowed)),
                "keep it sparse: write .tns or .h5 without --dense");
  check_shape(sparse.shape(), true);
  DenseTensor dense(sparse.shape());
  std::vector<Index> cell(sparse.shape().size());
  for (std::size_t k = 0; k < static_cast<std::size_t>(sparse.nonzeros()); ++k) {
    for (std::size_t mode = 0; mode < cell.size(); ++mode) cell[mode] = sparse.indices(static_cast<int>(mode))[k];
    dense(cell) = sparse.values()[k];
  }
  return dense;
}

/// Whether an entry goes into a sparse output; counts those that do not.
bool keep(double value, const ConvertOptions& options, ConvertSummary& summary) {
  if (options.drop_missing && std::isnan(value)) {
    ++summary.missing_dropped;
    return false;
  }
  if (options.drop_zeros && value == 0) {
    ++summary.zeros_dropped;
    return false;
  }
  return true;
}

SparseTensor make_sparse(const DenseTensor& dense, const ConvertOptions& options, ConvertSummary& summary) {
  SparseTensor sparse(dense.shape());
  std::vector<Index> cell(dense.shape().size(), 0);
  for (const double value : dense.values()) {
    if (keep(value, options, summary)) sparse.append(cell, value);
    next_cell(cell, dense.shape());
  }
  return sparse;
}

SparseTensor without_dropped(SparseTensor tensor, const ConvertOptions& options, ConvertSummary& summary) {
  if (!options.drop_zeros) return tensor;
  SparseTensor kept(tensor.shape());
  std::vector<Index> cell(tensor.shape().size());
  for (std::size_t k = 0; k < static_cast<std::size_t>(tensor.nonzeros()); ++k) {
    if (!keep(tensor.values()[k], options, summary)) continue;
    for (std::size_t mode = 0; mode < cell.size(); ++mode) cell[mode] = tensor.indices(static_cast<int>(mode))[k];
    kept.append(cell, tensor.values()[k]);
  }
  return kept;
}

void write(const TensorFile& output, const SparseTensor& tensor, const ConvertOptions& options) {
  if (output.is_text()) {
    // Such a file could not be read again: nothing in it would tell the order.
    if (tensor.nonzeros() == 0)
      throw Error(Category::input, output.path.string(), "no entry is left to write", "keep the zeros, or write .h5");
    write_tns(output.path, tensor, options.output_index_base);
  } else {
    write_hdf5(output.path, tensor, output.object);
  }
}

void write(const TensorFile& output, const DenseTensor& tensor, const ConvertOptions& options) {
  if (output.is_text())
    write_tns(output.path, tensor, false, options.output_index_base);
  else if (output.format == TensorFile::Format::npy)
    write_npy(output.path, tensor);
  else
    write_hdf5(output.path, tensor, output.object);
}

/// Brings the tensor into the layout of the output and writes it.
void finish(AnyTensor tensor, const TensorFile& output, const ConvertOptions& options, ConvertSummary& summary) {
  if (auto* sparse = std::get_if<SparseTensor>(&tensor)) summary.merged = sparse->sum_duplicates();
  const bool read_dense = std::holds_alternative<DenseTensor>(tensor);
  const bool dropping = options.drop_zeros || options.drop_missing;
  Layout layout = options.layout;
  if (output.format == TensorFile::Format::npy) layout = Layout::dense;
  // Text has one line an entry either way; leaving entries out makes the tensor a sparse one.
  if (layout == Layout::as_read)
    layout = read_dense && !(dropping && output.is_text()) ? Layout::dense : Layout::sparse;
  if (layout == Layout::dense && dropping)
    throw Error(Category::usage, options.drop_zeros ? "--drop-zeros" : "--drop-missing",
                "a dense output has every cell", "write .tns, or pass --sparse for a sparse .h5");
  summary.dense = layout == Layout::dense;
  summary.shape = shape_of(tensor);
  if (summary.dense) {
    const DenseTensor dense = read_dense ? std::get<DenseTensor>(std::move(tensor))
                                         : make_dense(std::get<SparseTensor>(tensor), output, options);
    summary.entries = dense.size();
    write(output, dense, options);
  } else {
    const SparseTensor sparse = read_dense
                                    ? make_sparse(std::get<DenseTensor>(tensor), options, summary)
                                    : without_dropped(std::get<SparseTensor>(std::move(tensor)), options, summary);
    summary.entries = sparse.nonzeros();
    write(output, sparse, options);
  }
}

}  // namespace

ConvertSummary convert_tensor(const TensorFile& input, const TensorFile& output, const ConvertOptions& options) {
  std::error_code absent;  // such as a name that is too long
  const bool with_labels = std::filesystem::exists(labels_path(input.path), absent);
  check_output(output, options, with_labels);
  TensorReadOptions reading;
  reading.text.index_base = options.index_base;
  reading.text.dims = options.dims;
  reading.allow_missing = options.drop_missing;
  AnyTensor tensor = read_tensor(input, reading);
  const auto labels = read_labels_beside(input.path, shape_of(tensor));
  ConvertSummary summary;
  finish(std::move(tensor), output, options, summary);
  if (labels && labels_path(input.path) != labels_path(output.path)) {
    write_labels(labels_path(output.path), *labels);
    summary.labels_written = true;
  }
  return summary;
}

ConvertSummary convert_ngrams(std::span<const std::filesystem::path> texts, int n, const TensorFile& output,
                              const ConvertOptions& options) {
  check_output(output, options, true);
  ConvertSummary summary;
  finish(count_ngrams(texts, n), output, options, summary);
  write_labels(labels_path(output.path), ngram_labels(n));
  summary.labels_written = true;
  return summary;
}

}  // namespace tempera
