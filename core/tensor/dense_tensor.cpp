#include "core/tensor/dense_tensor.hpp"

#include "core/base/contract.hpp"

namespace tempera {

namespace {
std::size_t product(std::span<const Index> shape) {
  std::size_t cells = shape.empty() ? 0 : 1;
  for (Index size : shape) cells *= static_cast<std::size_t>(size);
  return cells;
}
}  // namespace

DenseTensor::DenseTensor(std::vector<Index> shape) : shape_(std::move(shape)), values_(product(shape_)) {}

Index DenseTensor::offset(std::span<const Index> coordinates) const {
  TEMPERA_EXPECTS(coordinates.size() == shape_.size());
  Index position = 0;
  for (std::size_t mode = shape_.size(); mode-- > 0;) {
    TEMPERA_EXPECTS(coordinates[mode] >= 0 && coordinates[mode] < shape_[mode]);
    position = position * shape_[mode] + coordinates[mode];
  }
  return position;
}

bool next_cell(std::span<Index> coordinates, std::span<const Index> shape) {
  for (std::size_t mode = 0; mode < shape.size(); ++mode) {
    if (++coordinates[mode] < shape[mode]) return true;
    coordinates[mode] = 0;
  }
  return false;
}

}  // namespace tempera
