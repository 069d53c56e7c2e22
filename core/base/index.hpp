#pragma once

#include <cstdint>

namespace tempera {

/// Global sizes, coordinates and counts; 64 bits everywhere.
using Index = std::int64_t;

constexpr int kMinimumOrder = 2;
constexpr int kMaximumOrder = 8;

}  // namespace tempera
