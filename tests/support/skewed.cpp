#include "tests/support/skewed.hpp"

#include <algorithm>
#include <cmath>

namespace tempera::test {

Index zipf(RandomStream& stream, Index size, double exponent) {
  const double u = stream.uniform(), n = static_cast<double>(size);
  const double x =
      exponent == 1 ? std::pow(n + 1, u) : std::pow(u * (std::pow(n + 1, 1 - exponent) - 1) + 1, 1 / (1 - exponent));
  return std::min(size - 1, static_cast<Index>(x) - 1);
}

SparseTensor skewed(const std::vector<Index>& shape, Index nonzeros, double exponent, bool correlated) {
  SparseTensor tensor(shape);
  RandomStream stream(5, "zipf-tensor", {});
  std::vector<Index> cell(shape.size());
  for (Index k = 0; k < nonzeros; ++k) {
    for (std::size_t mode = 0; mode < shape.size(); ++mode) cell[mode] = zipf(stream, shape[mode], exponent);
    // A correlated tensor lies near its diagonal: contiguous cuts leave most blocks of a grid empty.
    if (correlated)
      for (std::size_t mode = 1; mode < shape.size(); ++mode)
        cell[mode] = std::min(shape[mode] - 1, cell[0] * shape[mode] / shape[0]);
    tensor.append(cell, 1.0);
  }
  tensor.sum_duplicates();
  return tensor;
}

SparseTensor with_giant_slices(const std::vector<Index>& shape, Index draws, double share) {
  SparseTensor tensor(shape);
  RandomStream stream(6, "giant-slices", {});
  std::vector<Index> cell(shape.size());
  for (Index k = 0; k < draws; ++k) {
    for (std::size_t mode = 0; mode < shape.size(); ++mode) {
      const auto any = stream.uniform_index(shape[mode]);
      cell[mode] = stream.uniform() < share ? shape[mode] / 3 : any;
    }
    tensor.append(cell, stream.normal());
  }
  tensor.sum_duplicates();
  return tensor;
}

}  // namespace tempera::test
