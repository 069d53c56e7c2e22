#include "drivers/run/profile.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "core/base/atomic_file.hpp"
#include "core/base/region_trace.hpp"
#include "distributed/communicator/objects.hpp"
#include "drivers/launch.hpp"

namespace tempera::drivers {

namespace {

constexpr std::size_t kMostPasses = 1'000'000;
constexpr std::size_t kMostPassesOfRank = 100'000;
constexpr std::size_t kLeastPassesOfRank = 1'000;
constexpr int kTag = 1;

/// Number of the host in the order of the ranks.
std::vector<int> node_numbers(const std::vector<std::string>& hosts) {
  std::vector<std::string> nodes;
  std::vector<int> numbers;
  for (const std::string& host : hosts) {
    const auto found = std::ranges::find(nodes, host);
    numbers.push_back(static_cast<int>(found - nodes.begin()));
    if (found == nodes.end()) nodes.push_back(host);
  }
  return numbers;
}

}  // namespace

void begin_profile(const Communicator& world) {
  const std::size_t share = kMostPasses / static_cast<std::size_t>(world.size());
  world.regions().record_passes(std::clamp(share, kLeastPassesOfRank, kMostPassesOfRank));
}

void write_profile(const Communicator& world, const std::filesystem::path& file) {
  const RegionTable& table = world.regions();
  std::vector<std::string> hosts = host_names(world);
  std::vector<int> nodes = node_numbers(hosts);
  nodes.resize(static_cast<std::size_t>(world.size()));
  world.broadcast(std::span<int>(nodes), 0);
  world.barrier();
  const double here = table.recording_seconds();
  const double shift = world.broadcast_value(here, 0) - here;
  const std::int64_t left_out = world.all_reduce_value(table.passes_left_out(), Reduction::sum);
  const TraceRank mine{world.rank(), nodes[static_cast<std::size_t>(world.rank())], host_name()};
  if (!world.is_root()) {
    world.send_object(trace_events(table, mine, shift), 0, kTag);
    return;
  }
  AtomicFile out(file);
  out.write("{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n");
  out.write(trace_events(table, mine, shift));
  for (int rank = 1; rank < world.size(); ++rank) out.write(world.receive_object<std::string>(rank, kTag));
  out.write(trace_end(left_out));
  out.write("]}\n");
  out.commit();
}

}  // namespace tempera::drivers
