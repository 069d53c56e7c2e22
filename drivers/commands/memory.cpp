#include "drivers/commands/memory.hpp"

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/base/memory.hpp"
#include "core/base/text.hpp"
#include "drivers/launch.hpp"

namespace tempera::drivers {

double cp_bytes(const DistributedTensor& tensor, double rank) {
  if (!tensor.active()) return 0;
  double rows = 0;
  for (int mode = 0; mode < tensor.order(); ++mode) rows += static_cast<double>(tensor.rows(mode).rows());
  return 8 * (3 * rows * rank + (tensor.order() + 4) * rank * rank);
}

void check_cp_memory(const Communicator& world, const DistributedTensor& tensor, std::int64_t rank) {
  const double share = available_memory() / launch_facts(world).ranks_on_node;
  const double needed = cp_bytes(tensor, static_cast<double>(rank));
  if (needed > share)
    throw Error(Category::environment, "--rank",
                fmt::format("rank {} needs {} on an MPI rank for which {} are available", rank, human_bytes(needed),
                            human_bytes(share)),
                "choose a smaller --rank, or more nodes");
}

}  // namespace tempera::drivers
