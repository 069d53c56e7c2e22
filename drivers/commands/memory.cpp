#include "drivers/commands/memory.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.hpp"
#include "core/base/memory.hpp"
#include "core/base/text.hpp"
#include "core/tensor/factor_matrix.hpp"

namespace tempera::drivers {

namespace {
constexpr Index kLargestPadded = Index{1} << 60;
}

double cp_bytes(const DistributedTensor& tensor, Index rank, double work_columns) {
  if (!tensor.active()) return 0;
  double rows = 0, longest = 0;
  for (int mode = 0; mode < tensor.order(); ++mode) {
    rows += static_cast<double>(tensor.rows(mode).rows());
    longest = std::max(longest, static_cast<double>(tensor.rows(mode).rows()));
  }
  // Any number may have been typed: near the end of the integers the padding is nothing.
  const auto columns = static_cast<double>(rank < kLargestPadded ? padded_columns(rank) : rank);
  return 8 * (3 * rows * columns + longest * work_columns + (tensor.order() + 4) * columns * columns);
}

void check_cp_memory(const DistributedTensor& tensor, Index rank, int ranks_on_node, double work_columns) {
  const double share = available_memory() / ranks_on_node;
  const double needed = cp_bytes(tensor, rank, work_columns);
  if (needed > share)
    throw Error(Category::environment, "--rank",
                fmt::format("rank {} needs {} on an MPI rank for which {} are available", rank, human_bytes(needed),
                            human_bytes(share)),
                work_columns > 0 ? "choose a smaller --rank, --solver mu, or more nodes"
                                 : "choose a smaller --rank, or more nodes");
}

}  // namespace tempera::drivers
