#include "distributed/tensor/row_owners.hpp"

#include <algorithm>
#include <cstdint>

namespace tempera {

int directory_of(Index row, int layer_size) {
  const auto z = static_cast<std::uint64_t>(row) * 0x9e3779b97f4a7c15u;
  return static_cast<int>(((z >> 32) * static_cast<std::uint64_t>(layer_size)) >> 32);
}

std::vector<int> choose_owners(const std::vector<RowTouch>& touches, std::vector<Index>& owned) {
  std::vector<int> owner(touches.size());
  const auto for_each_row = [&](auto&& visit) {
    for (std::size_t begin = 0; begin < touches.size();) {
      std::size_t end = begin + 1;
      while (end < touches.size() && touches[end].row == touches[begin].row) ++end;
      visit(begin, end);
      begin = end;
    }
  };
  for_each_row([&](std::size_t begin, std::size_t end) {
    if (end - begin == 1) ++owned[static_cast<std::size_t>(owner[begin] = touches[begin].rank)];
  });
  for_each_row([&](std::size_t begin, std::size_t end) {
    if (end - begin == 1) return;
    const auto count = static_cast<int>(end - begin);
    const int start = directory_of(touches[begin].row, count);
    int chosen = touches[begin + static_cast<std::size_t>(start)].rank;
    for (int k = 1; k < count; ++k) {
      const int rank = touches[begin + static_cast<std::size_t>((start + k) % count)].rank;
      if (owned[static_cast<std::size_t>(rank)] < owned[static_cast<std::size_t>(chosen)]) chosen = rank;
    }
    ++owned[static_cast<std::size_t>(chosen)];
    std::fill(owner.begin() + static_cast<std::ptrdiff_t>(begin), owner.begin() + static_cast<std::ptrdiff_t>(end),
              chosen);
  });
  for (const RowTouch& touch : touches) owned[static_cast<std::size_t>(touch.rank)] = 0;
  return owner;
}

}  // namespace tempera
