#include "core/tensor/kruskal_tensor.hpp"

namespace tempera {

std::vector<Index> KruskalTensor::shape() const {
  std::vector<Index> sizes;
  for (const auto& factor : factors) sizes.push_back(factor.rows());
  return sizes;
}

double KruskalTensor::operator()(std::span<const Index> coordinates) const {
  double sum = 0;
  for (Index r = 0; r < rank(); ++r) {
    double product = weights[static_cast<std::size_t>(r)];
    for (std::size_t mode = 0; mode < factors.size(); ++mode) product *= factors[mode](coordinates[mode], r);
    sum += product;
  }
  return sum;
}

}  // namespace tempera
