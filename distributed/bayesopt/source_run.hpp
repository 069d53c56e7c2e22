#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

#include "core/bayesopt/space.hpp"
#include "core/bayesopt/trial.hpp"
#include "core/bayesopt/warm_start.hpp"

namespace tempera {

/// What a run did so far, as its journal tells.
struct SourceRun {
  Space space;
  nlohmann::ordered_json configuration;
  std::vector<Trial> trials;  ///< with a result, by number
};

/// @param run  a folder; the run may be going on
/// @throws Error{input} if it is no run of an optimisation, or its journal is damaged
SourceRun read_source_run(const std::filesystem::path& run);

/// The sources that a run began with, from its own journal; none if there is no journal yet. @throws Error{input}
std::vector<SourceTrials> recorded_sources(const std::filesystem::path& journal);

}  // namespace tempera
