#pragma once

#include <vector>

#include "core/base/index.hpp"

namespace tempera {

/// A rank that touches a row of a factor matrix.
struct RowTouch {
  Index row;
  int rank;
};

/// The rank of a layer that decides on the owner of a row. Neighbouring rows are spread evenly over the ranks (multiples of
/// the golden section).
int directory_of(Index row, int layer_size);

/// Owner of each run of equal rows among those that one directory decides on; one entry a touch. The only rank that touches
/// a row owns it; of several the one that owns fewest so far, once all rows of one rank are given away. Among those that own
/// as few it depends on the row: a directory with few rows, each touched by all ranks, is one of many that must not all
/// choose the same rank.
/// @param touches  sorted by row, then rank
/// @param owned    a zero for each rank that occurs; left so
std::vector<int> choose_owners(const std::vector<RowTouch>& touches, std::vector<Index>& owned);

}  // namespace tempera
