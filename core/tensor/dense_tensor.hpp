#pragma once

#include <span>
#include <vector>

#include "core/base/index.hpp"

namespace tempera {

/// Dense tensor, or the dense block of one process: column-major, the index of mode 0 runs fastest.
class DenseTensor {
 public:
  DenseTensor() = default;
  /// Zero tensor of this shape; sizes may be 0 for the empty block of a rank without data.
  explicit DenseTensor(std::vector<Index> shape);

  int order() const { return static_cast<int>(shape_.size()); }
  const std::vector<Index>& shape() const { return shape_; }
  Index size() const { return static_cast<Index>(values_.size()); }

  std::span<const double> values() const { return values_; }
  std::span<double> values() { return values_; }

  /// Position of a cell in values(). @pre one coordinate a mode, inside the shape
  Index offset(std::span<const Index> coordinates) const;
  double& operator()(std::span<const Index> coordinates) {
    return values_[static_cast<std::size_t>(offset(coordinates))];
  }
  double operator()(std::span<const Index> coordinates) const {
    return values_[static_cast<std::size_t>(offset(coordinates))];
  }

 private:
  std::vector<Index> shape_;
  std::vector<double> values_;
};

/// Steps `coordinates` to the next cell in column-major order; returns false after the last one.
bool next_cell(std::span<Index> coordinates, std::span<const Index> shape);

}  // namespace tempera
