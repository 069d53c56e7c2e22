#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>

#include "core/bayesopt/warm_start.hpp"

namespace tempera::drivers {

/// For the summary: a run that was learned from each.
nlohmann::ordered_json sources_json(std::span<const SourceTrials> sources);
/// The same for people, a line a source and one a note.
std::string sources_text(std::span<const SourceTrials> sources);

struct BetterTrial {
  double value = 0;  ///< minimised
  std::string text;  ///< "trial 3 of runs/a"
};
/// The best trial of the same task in another run, its constraints met, if it is better than `mine`.
/// @param mine  null: none
std::optional<BetterTrial> better_source(std::span<const SourceTrials> sources, const Trial* mine);

}  // namespace tempera::drivers
