#include "drivers/commands/memory.hpp"

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/base/memory.hpp"
#include "core/base/text.hpp"
#include "distributed/als/cp_apr.hpp"

namespace tempera::drivers {

namespace {

/// What beside the rank takes most, as long as it is a fair part.
std::string hint(const CpMemory& memory, bool newton) {
  const double fair = 0.2 * memory.total();
  if (memory.start > memory.work && memory.start > fair) return "choose a smaller --rank, --init random, or more nodes";
  if (newton && memory.product > fair) return "choose a smaller --rank, --solver mu, or more nodes";
  if (memory.work + memory.duals > fair)
    return "choose a smaller --rank, constraints that need no ADMM ('tempera help constraints'), or more nodes";
  if (memory.previous > fair) return "choose a smaller --rank, leave --extrapolation out, or take more nodes";
  return "choose a smaller --rank, or more nodes";
}

}  // namespace

void check_cp_memory(const DistributedTensor& tensor, const CpOptions& options, bool counts, int ranks_on_node) {
  const double share = available_memory() / ranks_on_node;
  const CpMemory memory = cp_memory(tensor, options, counts);
  if (memory.total() <= share) return;
  const bool newton = counts && hessian_columns(tensor, options) > 0;
  throw Error(Category::environment, "--rank",
              fmt::format("rank {} needs {} on an MPI rank for which {} are available", options.rank,
                          human_bytes(memory.total()), human_bytes(share)),
              hint(memory, newton));
}

}  // namespace tempera::drivers
