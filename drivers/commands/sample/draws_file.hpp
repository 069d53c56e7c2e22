#pragma once

#include <filesystem>
#include <optional>

#include "drivers/commands/sample/sample_report.hpp"

namespace tempera::drivers {

/// Says before a run what draws.nc could not hold. @throws Error{input}
void check_draws_layout(const SampleOptions& options, const Target& target);

/// draws.nc: groups posterior and sample_stats with the streams at the target as chains, tempering with the ladder and, with
/// --keep all, the draws of every temperature. Collective; `path` counts on rank 0.
void write_draws_file(const Communicator& ranks, const std::filesystem::path& path, const SampleOptions& options,
                      const Target& target, const SampleFacts& facts, const DrawStore& draws);

/// Nothing for explorers without energies. Collective.
std::optional<EnergyFacts> energy_facts(const Communicator& ranks, const Explorer& explorer,
                                        const TemperingOptions& tempering, const TemperingRound& last,
                                        const DrawStore& draws);

}  // namespace tempera::drivers
