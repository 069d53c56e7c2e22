#pragma once

#include <cmath>
#include <span>
#include <type_traits>

#include "distributed/communicator/communicator.hpp"

namespace tempera::detail {

template <class T>
T combine(T a, T b, Reduction reduction) {
  switch (reduction) {
    case Reduction::sum:
      if constexpr (std::is_integral_v<T>) {
        return static_cast<T>(static_cast<std::make_unsigned_t<T>>(a) + static_cast<std::make_unsigned_t<T>>(b));
      } else {
        return a + b;
      }
    case Reduction::minimum:
    case Reduction::maximum:
      if constexpr (std::is_floating_point_v<T>)
        if (std::isnan(a) || std::isnan(b)) return std::isnan(a) ? a : b;
      return (reduction == Reduction::minimum ? b < a : a < b) ? b : a;
    case Reduction::logical_or: return static_cast<T>(a != T{} || b != T{});
  }
  return a;
}

/// result[i] = result[i] ∘ next[i]
template <class T>
void combine_into(std::span<T> result, const T* next, Reduction reduction) {
  if (reduction == Reduction::sum) {
    for (std::size_t i = 0; i < result.size(); ++i) result[i] = combine(result[i], next[i], Reduction::sum);
  } else {
    for (std::size_t i = 0; i < result.size(); ++i) result[i] = combine(result[i], next[i], reduction);
  }
}

}  // namespace tempera::detail
