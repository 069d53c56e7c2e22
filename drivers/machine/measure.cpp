#include "drivers/machine/measure.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "core/base/memory.hpp"
#include "core/base/parallel.hpp"
#include "core/base/roofline.hpp"
#include "distributed/communicator/objects.hpp"

namespace tempera::drivers {

namespace {

constexpr std::int64_t kFootprint = 96 * 1024 * 1024;
constexpr int kProductOrder = 512;
constexpr double kSeconds = 0.3;
constexpr Index kWords = 4 * 1024 * 1024 / sizeof(double);

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Sum and least of what `measure` gives on each of so many threads at the same time.
struct OnThreads {
  double sum = 0;
  double least = 0;
};
OnThreads on_threads(int threads, double (*measure)()) {
  std::vector<double> values(static_cast<std::size_t>(threads), 0);
  for_each_piece(threads, 1, threads,
                 [&](const Piece& piece) { values[static_cast<std::size_t>(piece.begin)] = measure(); });
  OnThreads result;
  for (double value : values) result.sum += value;
  result.least = *std::ranges::min_element(values);
  return result;
}

/// Fewest seconds of an exchange of `words` each way between the two ranks of `pair`. Collective over it.
double exchange_seconds(const Communicator& pair, Index words, int batches, int exchanges) {
  const int other = 1 - pair.rank();
  std::vector<double> sent(static_cast<std::size_t>(words), 1), received(sent.size(), 0);
  const Outgoing<double> outgoing{other, sent};
  const Incoming<double> incoming{other, received};
  double best = 0;
  for (int batch = 0; batch <= batches; ++batch) {  // the first one warms up
    pair.barrier();
    const double start = seconds_now();
    for (int k = 0; k < exchanges; ++k) pair.exchange<double>({&outgoing, 1}, {&incoming, 1});
    const double each = (seconds_now() - start) / exchanges;
    if (batch > 0) best = batch == 1 ? each : std::min(best, each);
  }
  return pair.all_reduce_value(best, Reduction::maximum);
}

struct Link {
  double latency = 0;    ///< seconds
  double bandwidth = 0;  ///< bytes a second each way, all pairs together
};

/// What lies between lefts[k] and rights[k]: latency of the first pair alone, bandwidth of all at once. Collective over `world`.
Link link(const Communicator& world, const std::vector<int>& lefts, const std::vector<int>& rights) {
  int pair_number = -1;
  for (std::size_t k = 0; k < lefts.size(); ++k)
    if (world.rank() == lefts[k] || world.rank() == rights[k]) pair_number = static_cast<int>(k);
  const Communicator pair = world.split(pair_number, world.rank());
  double latency = 0, seconds = 0;
  if (pair_number == 0) latency = exchange_seconds(pair, 1, 20, 50);
  world.barrier();
  if (pair_number >= 0) seconds = exchange_seconds(pair, kWords, 8, 2);
  latency = world.all_reduce_value(latency, Reduction::maximum);
  seconds = world.all_reduce_value(seconds, Reduction::maximum);
  const double bytes = static_cast<double>(lefts.size()) * kWords * sizeof(double);
  return {latency, bytes / std::max(seconds - latency, 0.01 * seconds)};
}

/// Ranks of the first rank's node, and of the first other node; empty where there is none.
struct TwoNodes {
  std::vector<int> first;
  std::vector<int> second;
};
TwoNodes two_nodes(const Communicator& world) {
  std::vector<std::string> hosts = host_names(world);
  std::vector<int> side(static_cast<std::size_t>(world.size()), 0);
  if (world.is_root()) {
    const auto other = std::ranges::find_if(hosts, [&](const std::string& host) { return host != hosts[0]; });
    for (std::size_t rank = 0; rank < hosts.size(); ++rank)
      if (other != hosts.end() && hosts[rank] != hosts[0]) side[rank] = hosts[rank] == *other ? 1 : 2;
  }
  world.broadcast(std::span<int>(side), 0);
  TwoNodes nodes;
  for (int rank = 0; rank < world.size(); ++rank) {
    const int mine = side[static_cast<std::size_t>(rank)];
    if (mine < 2) (mine == 0 ? nodes.first : nodes.second).push_back(rank);
  }
  return nodes;
}

}  // namespace

MeasuredMachine measure_machine(const Communicator& world, const LaunchFacts& facts) {
  MeasuredMachine measured;
  Machine& machine = measured.machine;
  const TwoNodes nodes = two_nodes(world);
  // Ranks that are bound have cores of their own; others share those of the node.
  const int threads = facts.cores_of_rank < facts.cores_of_node
                          ? facts.cores_of_rank
                          : std::max(1, facts.cores_of_node / facts.ranks_on_node);

  machine.cores_per_node = facts.cores_of_node;
  const double memory = world.all_reduce_value(available_memory(), Reduction::minimum);
  if (std::isfinite(memory))
    machine.memory_per_node = memory;
  else
    measured.assumed.push_back("memory-per-node");

  world.barrier();
  double own = 0;
  if (world.is_root()) own = measure_triad(kFootprint, kSeconds);
  machine.memory_bandwidth_per_core = world.broadcast_value(own, 0);
  const OnThreads triads = on_threads(threads, [] { return measure_triad(kFootprint, kSeconds); });
  const bool on_first = std::ranges::find(nodes.first, world.rank()) != nodes.first.end();
  machine.memory_bandwidth_per_node = world.all_reduce_value(on_first ? triads.sum : 0, Reduction::sum);
  world.barrier();
  const OnThreads products = on_threads(threads, [] { return measure_matrix_product(kProductOrder, kSeconds); });
  machine.flops_per_core = world.all_reduce_value(products.least, Reduction::minimum);

  if (nodes.first.size() > 1) {
    const Link inside = link(world, {nodes.first[0]}, {nodes.first[1]});
    machine.node_latency = inside.latency;
    machine.node_bandwidth = inside.bandwidth;
  } else {
    measured.assumed.insert(measured.assumed.end(), {"node-latency", "node-bandwidth"});
  }
  if (!nodes.second.empty()) {
    const std::size_t pairs = std::min(nodes.first.size(), nodes.second.size());
    const auto some = [&](const std::vector<int>& ranks) {
      return std::vector<int>(ranks.begin(), ranks.begin() + static_cast<std::ptrdiff_t>(pairs));
    };
    const Link between = link(world, some(nodes.first), some(nodes.second));
    machine.network_latency = between.latency;
    machine.network_bandwidth = between.bandwidth;
  } else {
    measured.assumed.insert(measured.assumed.end(), {"network-latency", "network-bandwidth"});
  }
  return measured;
}

}  // namespace tempera::drivers
