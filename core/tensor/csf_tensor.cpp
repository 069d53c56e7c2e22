#include "core/tensor/csf_tensor.hpp"

#include <algorithm>

#include "core/base/contract.hpp"

namespace tempera {

int CsfTensor::level_of(int mode) const {
  const auto found = std::find(mode_order_.begin(), mode_order_.end(), mode);
  TEMPERA_EXPECTS(found != mode_order_.end());
  return static_cast<int>(found - mode_order_.begin());
}

std::size_t CsfTensor::bytes() const {
  std::size_t total = values_.capacity() * sizeof(double);
  for (const auto& level : ids_) total += level.capacity() * sizeof(std::uint32_t);
  for (const auto& level : pointers_) total += level.capacity() * sizeof(std::uint32_t);
  return total;
}

}  // namespace tempera
