#include "drivers/machine/machine.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/option_schema.hpp"
#include "core/base/option_toml.hpp"

namespace tempera::drivers {

namespace {

/// The keys of the file.
void declare(OptionSchema& schema, Machine& machine) {
  schema.integer("cores-per-node", machine.cores_per_node).minimum(1).help("cores of a node that ranks may use");
  schema.real("memory-per-node", machine.memory_per_node).above(0).unit("bytes").help("memory of a node for its ranks");
  schema.real("flops-per-core", machine.flops_per_core)
      .above(0)
      .unit("operations/s")
      .help("matrix products (dgemm) on one core, all cores busy");
  schema.real("memory-bandwidth-per-core", machine.memory_bandwidth_per_core)
      .above(0)
      .unit("bytes/s")
      .help("triad on one core, the others idle");
  schema.real("memory-bandwidth-per-node", machine.memory_bandwidth_per_node)
      .above(0)
      .unit("bytes/s")
      .help("triads on all cores together");
  schema.real("node-latency", machine.node_latency)
      .above(0)
      .unit("s")
      .help("exchange of one word between two ranks of a node");
  schema.real("node-bandwidth", machine.node_bandwidth)
      .above(0)
      .unit("bytes/s")
      .help("each way between two ranks of a node");
  schema.real("network-latency", machine.network_latency)
      .above(0)
      .unit("s")
      .help("exchange of one word between ranks of two nodes");
  schema.real("network-bandwidth", machine.network_bandwidth)
      .above(0)
      .unit("bytes/s")
      .help("each way between two nodes, all their ranks together");
}

}  // namespace

Machine read_machine(const std::filesystem::path& file) {
  Machine machine;
  OptionSchema schema("machine", "nodes of a cluster");
  declare(schema, machine);
  apply_toml(schema, file);
  return machine;
}

std::string machine_text(const Machine& machine, const std::vector<std::string>& assumed) {
  Machine shown = machine;
  OptionSchema schema("machine", "nodes of a cluster");
  declare(schema, shown);
  std::string text =
      "# What a node of a cluster can do, for 'tempera plan --machine'. Edit it for the machine you plan for;\n"
      "# a key that is left out keeps a middling value.\n";
  for (const Option& option : schema.options()) {
    const bool guessed = std::ranges::find(assumed, option.name()) != assumed.end();
    const OptionValue value = option.value();
    const std::string number = option.kind() == OptionKind::integer ? fmt::format("{}", std::get<std::int64_t>(value))
                                                                    : fmt::format("{:.3e}", std::get<double>(value));
    const std::string unit = option.unit().empty() ? "" : option.unit() + ", ";
    text += fmt::format("{:<38}# {}{}{}\n", fmt::format("{} = {}", option.name(), number), unit, option.help(),
                        guessed ? "; not measured, a middling value" : "");
  }
  return text;
}

}  // namespace tempera::drivers
