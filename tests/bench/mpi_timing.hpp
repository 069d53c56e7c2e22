#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/base/region_table.hpp"
#include "distributed/communicator/communicator.hpp"
#include "tests/bench/bench.hpp"

namespace tempera::bench {

/// As time_runs, on all ranks at once: each run lasts until the last rank is done. The same on all ranks. Collective.
Timing time_on_all(const Communicator& world, const std::function<void()>& body,
                   const std::function<void()>& prepare = {});

/// What `body` sends, over all ranks together. Collective.
double bytes_sent(const Communicator& world, const std::function<void()>& body);

/// Seconds spent in every region whose path ends with "/name", mean over the ranks. Collective.
double region_seconds(const Communicator& world, const std::string& name);

/// True on all ranks if it is on each. Collective.
bool all_of(const Communicator& world, bool mine);

}  // namespace tempera::bench
