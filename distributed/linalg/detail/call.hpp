#pragma once

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <limits>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/large_memory.hpp"
#include "distributed/linalg/block_cyclic_matrix.hpp"

namespace tempera::detail {

constexpr int kOne = 1;  // first row or column

/// A negative info is a defect of the call, not of the numbers.
inline void check_arguments(const char* routine, int info) {
  if (info < 0)
    throw Error(Category::numerical, routine, fmt::format("ScaLAPACK refuses argument {} of the call", -info),
                "this is a defect of tempera, please report it");
}

/// Runs a ScaLAPACK call, which sets info and waits inside MPI, on the ranks of the grid, once all ranks of the
/// communicator have got so far; returns the largest info on all ranks. Collective over grid.all().
/// @throws Error{numerical} if a rank was told that an argument is wrong
template <class Call>
int call_on_grid(const BlacsGrid& grid, const char* routine, const Call& call) {
  grid.all().barrier();
  int info = 0;
  if (grid.active()) call(info);
  check_arguments(routine, info);
  return grid.all().all_reduce_value(info, Reduction::maximum);
}

/// Workspace of the length that a query answered, or of the documented least one if that is more: several queries
/// underestimate, and answer in a double.
/// @throws Error{shape} if ScaLAPACK cannot count it
struct Workspace {
  LargeVector<double> values;
  int length = 0;

  void allocate(const char* routine, double answered, double documented) {
    const double wanted = std::ceil(std::max({answered, documented, 1.0}));
    if (wanted > std::numeric_limits<int>::max())
      throw Error(
          Category::shape, routine,
          fmt::format("the workspace of {:.0f} numbers a rank is more than ScaLAPACK counts with 32 bits", wanted),
          "use more MPI ranks, or a smaller matrix");
    length = static_cast<int>(wanted);
    values = LargeVector<double>(static_cast<std::size_t>(length));
  }
};

}  // namespace tempera::detail
