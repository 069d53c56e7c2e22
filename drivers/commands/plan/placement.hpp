#pragma once

#include "drivers/machine/machine.hpp"

namespace tempera::drivers {

/// Where the ranks of a job lie on nodes that are all alike, filled one after the other.
struct Placement {
  int ranks_per_node = 1;  ///< on a full node
  int nodes = 1;
  double latency = 0;    ///< seconds of an exchange of one word between two ranks
  double bandwidth = 0;  ///< bytes a second for one rank while all send
};
/// As many ranks on a node as it has cores for their threads. On one node words stay inside, on several every word counts as
/// if it left its node.
Placement placement_of(const Machine& machine, int ranks, int threads);

/// ⌈log2 ranks⌉: of what goes along a tree.
double steps_of(int ranks);

}  // namespace tempera::drivers
