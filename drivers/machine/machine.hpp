#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace tempera::drivers {

/// Nodes of a cluster, all alike, as far as predictions of time and memory need them. The defaults are a middling node of
/// two 32-core processors (about 2020) with a 100 Gbit/s network.
struct Machine {
  std::int64_t cores_per_node = 64;
  double memory_per_node = 256.0 * 1024 * 1024 * 1024;  ///< bytes
  double flops_per_core = 3e10;                         ///< floating-point operations a second of dgemm, all cores busy
  double memory_bandwidth_per_core = 1e10;              ///< bytes a second of a triad on one core while the others rest
  double memory_bandwidth_per_node = 3e11;              ///< bytes a second of triads on all cores together
  double node_latency = 2e-6;         ///< seconds of an exchange of one word between two ranks of a node
  double node_bandwidth = 5e9;        ///< bytes a second each way between two ranks of a node
  double network_latency = 4e-6;      ///< seconds of an exchange of one word between two nodes
  double network_bandwidth = 1.1e10;  ///< bytes a second each way between two nodes, all their ranks together
};

/// @throws Error{usage} "FILE:LINE: …" for an unknown key, a value of the wrong kind or out of range, a syntax error; naming the
/// file if it cannot be read. A key that is not there keeps its default.
Machine read_machine(const std::filesystem::path& file);

/// A file that read_machine reads back to the same numbers (to 4 digits), each key with its unit and meaning.
/// @param assumed  keys whose values were not measured; the file says so
std::string machine_text(const Machine& machine, const std::vector<std::string>& assumed);

}  // namespace tempera::drivers
