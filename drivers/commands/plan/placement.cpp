#include "drivers/commands/plan/placement.hpp"

#include <algorithm>
#include <cmath>

namespace tempera::drivers {

Placement placement_of(const Machine& machine, int ranks, int threads) {
  Placement placement;
  placement.ranks_per_node = static_cast<int>(std::max<std::int64_t>(1, machine.cores_per_node / threads));
  placement.nodes = (ranks + placement.ranks_per_node - 1) / placement.ranks_per_node;
  const bool one_node = placement.nodes == 1;
  placement.latency = one_node ? machine.node_latency : machine.network_latency;
  placement.bandwidth = one_node
                            ? machine.node_bandwidth
                            : std::min(machine.node_bandwidth, machine.network_bandwidth / placement.ranks_per_node);
  return placement;
}

double steps_of(int ranks) {
  return std::ceil(std::log2(std::max(1, ranks)));
}

}  // namespace tempera::drivers
