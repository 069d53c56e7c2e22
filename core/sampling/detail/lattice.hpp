#pragma once

#include <cstddef>
#include <span>

namespace tempera::detail {

/// Σ term(site, right neighbour) + term(site, lower neighbour) over a periodic size × size lattice, row-major.
template <class Term>
double sum_over_bonds(std::span<const double> site, std::size_t size, Term term) {
  double sum = 0;
  for (std::size_t row = 0; row < size; ++row) {
    const double* here = site.data() + row * size;
    const double* below = site.data() + (row + 1 < size ? row + 1 : 0) * size;
    for (std::size_t column = 0; column + 1 < size; ++column)
      sum += term(here[column], here[column + 1]) + term(here[column], below[column]);
    sum += term(here[size - 1], here[0]) + term(here[size - 1], below[size - 1]);
  }
  return sum;
}

/// Sum of the four neighbours of a site.
inline double neighbours(std::span<const double> site, std::size_t size, std::size_t row, std::size_t column) {
  const std::size_t above = row > 0 ? row - 1 : size - 1;
  const std::size_t below = row + 1 < size ? row + 1 : 0;
  const std::size_t left = column > 0 ? column - 1 : size - 1;
  const std::size_t right = column + 1 < size ? column + 1 : 0;
  return site[above * size + column] + site[below * size + column] + site[row * size + left] + site[row * size + right];
}

}  // namespace tempera::detail
