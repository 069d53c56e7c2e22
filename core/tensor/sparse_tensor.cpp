#include "core/tensor/sparse_tensor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/base/contract.hpp"
#include "core/base/error.hpp"

namespace tempera {

double cell_count(std::span<const Index> shape) {
  double cells = 1;
  for (Index size : shape) cells *= static_cast<double>(size);
  return cells;
}

void check_shape(std::span<const Index> shape, bool cells_must_fit) {
  const int order = static_cast<int>(shape.size());
  if (order < kMinimumOrder || order > kMaximumOrder)
    throw Error(Category::shape, "", fmt::format("a tensor of order {} is not supported", order),
                fmt::format("orders {} to {} are", kMinimumOrder, kMaximumOrder));
  for (int mode = 0; mode < order; ++mode)
    if (shape[static_cast<std::size_t>(mode)] < 1)
      throw Error(Category::shape, "", fmt::format("mode {} has size {}", mode, shape[static_cast<std::size_t>(mode)]),
                  "every mode needs at least one index");
  if (cells_must_fit && cell_count(shape) >= std::ldexp(1.0, 62))
    throw Error(Category::shape, "", fmt::format("a dense tensor of {:.3g} cells cannot be indexed", cell_count(shape)),
                "store it as a sparse tensor");
}

SparseTensor::SparseTensor(std::vector<Index> shape) : shape_(std::move(shape)), indices_(shape_.size()) {
  check_shape(shape_, false);
}

SparseTensor::SparseTensor(std::vector<Index> shape, std::vector<LargeVector<Index>> indices,
                           LargeVector<double> values)
    : shape_(std::move(shape)), indices_(std::move(indices)), values_(std::move(values)) {
  check_shape(shape_, false);
  TEMPERA_EXPECTS(indices_.size() == shape_.size());
  for (std::size_t mode = 0; mode < shape_.size(); ++mode) {
    TEMPERA_EXPECTS(indices_[mode].size() == values_.size());
    TEMPERA_EXPECTS(std::all_of(indices_[mode].begin(), indices_[mode].end(),
                                [size = shape_[mode]](Index i) { return i >= 0 && i < size; }));
  }
}

void SparseTensor::reserve(Index nonzeros) {
  for (auto& mode : indices_) mode.reserve(static_cast<std::size_t>(nonzeros));
  values_.reserve(static_cast<std::size_t>(nonzeros));
}

void SparseTensor::append(std::span<const Index> coordinates, double value) {
  TEMPERA_EXPECTS(coordinates.size() == shape_.size());
  for (std::size_t mode = 0; mode < shape_.size(); ++mode) {
    TEMPERA_EXPECTS(coordinates[mode] >= 0 && coordinates[mode] < shape_[mode]);
    indices_[mode].push_back(coordinates[mode]);
  }
  values_.push_back(value);
}

void SparseTensor::enlarge(std::span<const Index> shape) {
  if (shape.size() != shape_.size())
    throw Error(Category::shape, "", fmt::format("{} sizes given for a tensor of order {}", shape.size(), order()));
  for (std::size_t mode = 0; mode < shape.size(); ++mode)
    if (shape[mode] < shape_[mode])
      throw Error(
          Category::shape, "",
          fmt::format("mode {} has indices up to {}, more than the given size {}", mode, shape_[mode], shape[mode]),
          "sizes may enlarge a tensor, never cut it");
  shape_.assign(shape.begin(), shape.end());
}

Index SparseTensor::sum_duplicates() {
  const std::size_t count = values_.size();
  std::vector<Index> permutation(count);
  std::iota(permutation.begin(), permutation.end(), Index{0});
  const auto same_cell = [&](std::size_t a, std::size_t b) {
    return std::all_of(indices_.begin(), indices_.end(), [&](const auto& mode) { return mode[a] == mode[b]; });
  };
  std::sort(permutation.begin(), permutation.end(), [&](Index left, Index right) {
    const auto a = static_cast<std::size_t>(left), b = static_cast<std::size_t>(right);
    for (const auto& mode : indices_)
      if (mode[a] != mode[b]) return mode[a] < mode[b];
    return values_[a] < values_[b];
  });
  std::vector<LargeVector<Index>> sorted_indices(indices_.size());
  LargeVector<double> sorted_values;
  for (auto& mode : sorted_indices) mode.reserve(count);
  sorted_values.reserve(count);
  for (std::size_t k = 0; k < count; ++k) {
    const auto source = static_cast<std::size_t>(permutation[k]);
    if (k > 0 && same_cell(source, static_cast<std::size_t>(permutation[k - 1]))) {
      sorted_values.back() += values_[source];
      continue;
    }
    for (std::size_t mode = 0; mode < indices_.size(); ++mode) sorted_indices[mode].push_back(indices_[mode][source]);
    sorted_values.push_back(values_[source]);
  }
  indices_ = std::move(sorted_indices);
  values_ = std::move(sorted_values);
  return static_cast<Index>(count - values_.size());
}

}  // namespace tempera
