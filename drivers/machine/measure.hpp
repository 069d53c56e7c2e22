#pragma once

#include <string>
#include <vector>

#include "distributed/communicator/communicator.hpp"
#include "drivers/launch.hpp"
#include "drivers/machine/machine.hpp"

namespace tempera::drivers {

struct MeasuredMachine {
  Machine machine;
  std::vector<std::string> assumed;  ///< keys of machine.toml that this job could not measure
};

/// Measures the nodes of this job with the ranks that it has; about two seconds. Best with a rank on every core of two nodes.
///
/// Arithmetic and bandwidth of a node are taken with a thread on every core that the ranks may use, all at once; the
/// bandwidth of one core on the first rank alone. Latency is the time of an exchange of one word each way between two ranks,
/// the best of many, with all that the communicator does around it; bandwidth is that of 4 MiB each way, between nodes with
/// all ranks of two nodes in pairs. What needs two ranks of a node, or two nodes, is assumed where they are not there.
/// @param facts  from launch_facts
/// Collective; the same on all ranks.
MeasuredMachine measure_machine(const Communicator& world, const LaunchFacts& facts);

}  // namespace tempera::drivers
