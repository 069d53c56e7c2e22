#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/contract.hpp"
#include "core/io/detail/block_checks.hpp"
#include "core/io/detail/hdf5_handle.hpp"
#include "core/io/hdf5_file.hpp"

namespace tempera {

using detail::Hdf5Handle;
using detail::Hdf5Input;

namespace {
constexpr Index kBufferCells = Index{1} << 18;
constexpr double kFirstInexactInteger = 9007199254740992.0;  // 2^53

void check_order(const Hdf5Input& input, const std::string& object, std::size_t order) {
  if (order < kMinimumOrder || order > kMaximumOrder)
    throw input.error(
        object, fmt::format("a tensor of order {}; orders {} to {} are supported", order, kMinimumOrder, kMaximumOrder),
        "reshape it");
}

void check_sizes(const Hdf5Input& input, const std::string& object, std::span<const Index> shape) {
  for (std::size_t mode = 0; mode < shape.size(); ++mode)
    if (shape[mode] < 1)
      throw input.error(object, fmt::format("mode {} has size {}", mode, shape[mode]),
                        "every mode needs at least one index");
}

Index read_index_base(const Hdf5Input& input, const std::string& object) {
  if (H5Aexists_by_name(input.file(), object.c_str(), "index_base", H5P_DEFAULT) <= 0) return 0;
  const Hdf5Handle attribute(H5Aopen_by_name(input.file(), object.c_str(), "index_base", H5P_DEFAULT, H5P_DEFAULT));
  const Hdf5Handle space(H5Aget_space(attribute)), type(H5Aget_type(attribute));
  Index base = -1;
  if (H5Sget_simple_extent_npoints(space) != 1 || H5Tget_class(type) != H5T_INTEGER ||
      H5Aread(attribute, H5T_NATIVE_INT64, &base) < 0 || base < 0)
    throw input.error(object, "the attribute index_base is not an integer from 0 up", "0 and 1 are usual");
  return base;
}

Hdf5TensorInfo sparse_info(const Hdf5Input& input, const std::string& object) {
  Hdf5TensorInfo info;
  info.dense = false;
  for (const char* part : {"/indices", "/values", "/shape"})
    if (!input.exists(object + part))
      throw input.error(object, fmt::format("the group lacks the dataset {}", part + 1),
                        "a sparse tensor is a group with indices (nonzeros x order), values and shape");
  info.shape = input.read_integers(object + "/shape", kMaximumOrder);
  check_order(input, object, info.shape.size());
  check_sizes(input, object, info.shape);
  const Hdf5Handle indices = input.open_dataset(object + "/indices"), values = input.open_dataset(object + "/values");
  const auto index_shape = detail::hdf5_shape(indices), value_shape = detail::hdf5_shape(values);
  if (!detail::is_hdf5_number(indices, true))
    throw input.error(object + "/indices", "does not hold integers", "store indices as int64");
  if (!detail::is_hdf5_number(values, false))
    throw input.error(object + "/values", "does not hold numbers", "store values as float64");
  if (index_shape.size() != 2 || value_shape.size() != 1 || index_shape[0] != value_shape[0] ||
      index_shape[1] != static_cast<Index>(info.shape.size()))
    throw input.error(object,
                      fmt::format("indices ({}), values ({}) and shape ({}) do not fit each other",
                                  fmt::join(index_shape, " x "), fmt::join(value_shape, " x "), info.shape.size()),
                      "indices are nonzeros x order, values one a nonzero, shape one a mode");
  input.check_written(indices, object + "/indices", Hdf5Input::Completeness::whole);
  input.check_written(values, object + "/values", Hdf5Input::Completeness::whole);
  info.nonzeros = value_shape[0];
  info.index_base = read_index_base(input, object);
  return info;
}

Hdf5TensorInfo info_of(const Hdf5Input& input, const std::string& object) {
  if (!input.exists(object)) throw input.missing(object);
  if (input.is_group(object)) {
    if (!input.exists(object + "/indices") && !input.exists(object + "/values")) throw input.missing(object);
    return sparse_info(input, object);
  }
  const Hdf5Handle dataset = input.open_dataset(object);
  Hdf5TensorInfo info;
  info.shape = detail::hdf5_shape(dataset);
  if (!detail::is_hdf5_number(dataset, false))
    throw input.error(object, "the dataset does not hold numbers", "store it as float64");
  check_order(input, object, info.shape.size());
  check_sizes(input, object, info.shape);
  check_shape(info.shape, true);
  input.check_written(dataset, object, Hdf5Input::Completeness::anything);
  info.nonzeros = 1;
  for (const Index size : info.shape) info.nonzeros *= size;
  return info;
}

/// C order of a slab into column-major order of the block.
class SlabCopy {
 public:
  SlabCopy(const Hdf5Input& input, const std::string& object, std::span<const Index> offsets, bool integers,
           bool allow_missing)
      : input_(input), object_(object), offsets_(offsets), integers_(integers), allow_missing_(allow_missing) {}

  void run(std::span<const double> slab, std::span<const Index> first, std::span<const Index> count,
           DenseTensor& block) const {
    const std::size_t last = count.size() - 1;
    const Index row = count[last];
    Index stride = 1;
    for (std::size_t mode = 0; mode < last; ++mode) stride *= block.shape()[mode];
    std::vector<Index> cell(first.begin(), first.end());
    for (std::size_t source = 0; source < slab.size();) {
      double* target = block.values().data() + block.offset(cell);
      for (Index i = 0; i < row; ++i, ++source) {
        const double value = slab[source];
        if (!accepted(value)) {
          cell[last] += i;
          refuse(cell, value);
        }
        target[i * stride] = value;
      }
      for (std::size_t mode = last; mode-- > 0;) {
        if (++cell[mode] < first[mode] + count[mode]) break;
        cell[mode] = first[mode];
      }
    }
  }

 private:
  bool accepted(double value) const {
    if (integers_) return std::abs(value) < kFirstInexactInteger;  // 2^53 + 1 arrives as 2^53
    return std::isfinite(value) || (allow_missing_ && std::isnan(value));
  }
  [[noreturn]] void refuse(std::vector<Index> cell, double value) const {
    for (std::size_t mode = 0; mode < cell.size(); ++mode) cell[mode] += offsets_[mode];
    throw input_.error(
        object_, fmt::format("the cell at indices ({}), counted from 0, is {}", fmt::join(cell, ", "), value),
        integers_ ? "integers beyond 2^53 do not fit a double; rescale the data" : detail::kMissingCellHint);
  }

  const Hdf5Input& input_;
  const std::string& object_;
  std::span<const Index> offsets_;
  bool integers_;
  bool allow_missing_;
};
}  // namespace

Hdf5TensorInfo read_hdf5_info(const std::filesystem::path& path, const std::string& object) {
  return info_of(Hdf5Input(path), object);
}

DenseTensor read_hdf5_block(const std::filesystem::path& path, const std::string& object,
                            std::span<const Index> offsets, std::span<const Index> extents, bool allow_missing) {
  const Hdf5Input input(path);
  const Hdf5TensorInfo info = info_of(input, object);
  if (!info.dense)
    throw input.error(object, "holds a sparse tensor where a dense one is wanted",
                      "convert it with tempera convert --dense");
  TEMPERA_EXPECTS(offsets.size() == info.shape.size() && extents.size() == info.shape.size());
  const Hdf5Handle dataset = input.open_dataset(object), space(H5Dget_space(dataset));
  detail::check_block_memory(path.string() + ":" + object, 8 * cell_count(extents));
  DenseTensor block(std::vector<Index>(extents.begin(), extents.end()));
  const SlabCopy copy(input, object, offsets, detail::is_hdf5_number(dataset, true), allow_missing);
  std::vector<double> buffer;
  detail::for_each_slab(extents, kBufferCells, [&](std::span<const Index> first, std::span<const Index> count) {
    std::vector<hsize_t> start(first.size());
    Index cells = 1;
    for (std::size_t mode = 0; mode < first.size(); ++mode) {
      start[mode] = static_cast<hsize_t>(offsets[mode] + first[mode]);
      cells *= count[mode];
    }
    const auto sizes = detail::hdf5_sizes(count);
    const Hdf5Handle memory(H5Screate_simple(static_cast<int>(sizes.size()), sizes.data(), nullptr));
    H5Sselect_hyperslab(space, H5S_SELECT_SET, start.data(), nullptr, sizes.data(), nullptr);
    buffer.resize(static_cast<std::size_t>(cells));
    input.read(dataset, object, H5T_NATIVE_DOUBLE, memory, space, buffer.data());
    copy.run(buffer, first, count, block);
  });
  return block;
}

SparseTensor read_hdf5_nonzeros(const std::filesystem::path& path, const std::string& object, Index first,
                                Index count) {
  const Hdf5Input input(path);
  const Hdf5TensorInfo info = info_of(input, object);
  if (info.dense)
    throw input.error(object, "holds a dense tensor where a sparse one is wanted",
                      "convert it with tempera convert --sparse");
  TEMPERA_EXPECTS(first >= 0 && count >= 0 && first + count <= info.nonzeros);
  const std::string index_name = object + "/indices", value_name = object + "/values";
  const Hdf5Handle indices = input.open_dataset(index_name), values = input.open_dataset(value_name);
  const Hdf5Handle index_space(H5Dget_space(indices)), value_space(H5Dget_space(values));
  const std::size_t order = info.shape.size();
  detail::check_block_memory(path.string() + ":" + object,
                             8 * static_cast<double>(order + 1) * static_cast<double>(count));
  std::vector<LargeVector<Index>> all_indices(order);
  for (auto& mode : all_indices) mode.reserve(static_cast<std::size_t>(count));
  LargeVector<double> all_values(static_cast<std::size_t>(count));
  std::vector<Index> rows;
  for (Index done = 0; done < count;) {
    const Index part = std::min(count - done, kBufferCells / static_cast<Index>(order));
    const hsize_t start[2] = {static_cast<hsize_t>(first + done), 0}, sizes[2] = {static_cast<hsize_t>(part), order};
    const Hdf5Handle index_memory(H5Screate_simple(2, sizes, nullptr)),
        value_memory(H5Screate_simple(1, sizes, nullptr));
    H5Sselect_hyperslab(index_space, H5S_SELECT_SET, start, nullptr, sizes, nullptr);
    H5Sselect_hyperslab(value_space, H5S_SELECT_SET, start, nullptr, sizes, nullptr);
    rows.resize(static_cast<std::size_t>(part) * order);
    input.read(indices, index_name, H5T_NATIVE_INT64, index_memory, index_space, rows.data());
    input.read(values, value_name, H5T_NATIVE_DOUBLE, value_memory, value_space, all_values.data() + done);
    for (std::size_t k = 0; k < static_cast<std::size_t>(part); ++k) {
      const Index row = first + done + static_cast<Index>(k);
      for (std::size_t mode = 0; mode < order; ++mode) {
        const Index index = rows[k * order + mode];
        if (index < info.index_base || index - info.index_base >= info.shape[mode])
          throw input.error(index_name,
                            fmt::format("row {}: index {} of mode {} is outside {} to {}", row, index, mode,
                                        info.index_base, info.shape[mode] - 1 + info.index_base),
                            "check the dataset shape and the attribute index_base");
        all_indices[mode].push_back(index - info.index_base);
      }
      if (const double value = all_values[static_cast<std::size_t>(done) + k]; !std::isfinite(value))
        throw input.error(
            value_name, fmt::format("row {}: the value is {}", row, value),
            "leave the entry out: absent entries count as zeros, with decompose --missing unobserved as missing cells");
    }
    done += part;
  }
  return SparseTensor(info.shape, std::move(all_indices), std::move(all_values));
}

}  // namespace tempera
