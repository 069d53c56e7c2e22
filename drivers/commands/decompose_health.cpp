#include "drivers/commands/decompose_health.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tempera::drivers {

namespace {

using Json = nlohmann::ordered_json;

constexpr double kIllConditioned = 1e12;  // from here on the normal equations are damped
constexpr Index kCellsThatWeigh = 10000;  // a rank: with fewer nobody waits for cells
constexpr double kUnbalanced = 1.25;      // heaviest rank over the mean
constexpr double kNoDigits = 10;          // a distance from 1 of so many resolutions of the fit is mostly rounding

/// Words that crossed between ranks in the row exchanges of one sweep; nothing if no sweep was made in this process.
Json words_per_sweep(const DecomposeFacts& facts) {
  std::int64_t bytes = 0, sweeps = 0;
  for (const RegionSummary& region : facts.regions) {
    if (region.path.ends_with("/reduce rows") || region.path.ends_with("/share rows")) bytes += region.bytes;
    if (region.path.ends_with("/sweep")) sweeps = std::max(sweeps, region.calls);
  }
  if (sweeps == 0) return nullptr;
  return static_cast<double>(bytes) / 8 / static_cast<double>(sweeps);
}

bool rounding_only(const CpResult& result) {
  return result.relative_error < kNoDigits * result.fit_resolution;
}

bool is_damped(const DecomposeOptions& options) {
  return options.damping != "0";
}

}  // namespace

Json health_json(const DecomposeOptions& options, const CpResult& result, const DecomposeFacts& facts) {
  const CpHealth& health = result.health;
  Json json;
  json["degenerate"] = health.degenerate;
  json["least_cosine_product"] = health.least_cosine_product;
  json["opposed_components"] = Json::array();
  if (health.degenerate || health.least_cosine_product < kOpposed) json["opposed_components"] = health.opposed;
  json["cancellation_ratio"] = health.cancellation;
  json["norm_growth_ratio"] = health.growth;
  json["swamp"] = health.swamp;
  json["swamp_sweeps"] = health.swamp_sweeps;
  json["movement_per_sweep"] = health.movement;
  json["dead_components"] = result.dead_components;
  json["conditions"] = health.conditions;
  json["fit_resolution"] = result.fit_resolution;
  json["fit_is_rounding"] = rounding_only(result);
  json["balance_ratio"] = facts.balance;
  // Groups of ranks hold the tensor in other ways than the one these figures are about.
  json["words_sent_per_sweep"] = result.start_groups == 1 ? words_per_sweep(facts) : Json();
  json["words_bound_per_sweep"] =
      result.start_groups == 1 ? Json(static_cast<double>(facts.exchanged.total * options.rank)) : Json();
  return json;
}

std::vector<std::string> health_advice(const DecomposeOptions& options, const CpResult& result,
                                       const DecomposeFacts& facts) {
  const CpHealth& health = result.health;
  std::vector<std::string> advice;
  const bool plain = options.constraints.empty();
  if (health.degenerate)
    advice.push_back(fmt::format(
        "degenerate: components {} and {} cancel (product of cosines {:.4f}) and still grow: it seems that no "
        "model of this rank is the best; try a lower --rank{}",
        health.opposed[0] + 1, health.opposed[1] + 1, health.least_cosine_product,
        plain ? ", --constraint ridge:X, or orthogonal or nonnegative in one mode" : ", or --constraint ridge:X"));
  else if (health.least_cosine_product < kOpposed)
    advice.push_back(
        fmt::format("components {} and {} nearly cancel (product of cosines {:.4f}): read them together, or try a "
                    "lower --rank",
                    health.opposed[0] + 1, health.opposed[1] + 1, health.least_cosine_product));
  if (health.swamp) {
    std::string mend;
    if (!options.extrapolation) mend += "--extrapolation, ";
    if (!is_damped(options)) mend += "--damping auto, ";
    advice.push_back(fmt::format(
        "swamp: {} sweeps in a row gained less than {:.0e} of fit each while the factors moved; try {}other starts "
        "(--init nvecs, --restarts), or a lower --rank",
        health.swamp_sweeps, kStandstill, mend));
  }
  const bool all_dead =
      result.dead_components == static_cast<int>(result.weights.size());  // a zero model of its own kind
  if (result.dead_components > 0 && !all_dead)
    advice.push_back(result.dead_components == 1
                         ? std::string("1 component is zero: a lower --rank fits as well")
                         : fmt::format("{} components are zero: a lower --rank fits as well", result.dead_components));
  std::string bad_modes;
  for (std::size_t mode = 0; mode < health.conditions.size(); ++mode)
    if (!(health.conditions[mode] < kIllConditioned))
      bad_modes += fmt::format("{}{}", bad_modes.empty() ? "" : ", ", mode);
  if (!bad_modes.empty() && result.dead_components == 0)
    advice.push_back(
        fmt::format("the normal equations of mode{} {} are singular to working precision: the rows there are not "
                    "determined by the data; try a lower --rank or --constraint ridge:X",
                    bad_modes.size() > 1 ? "s" : "", bad_modes));
  if (facts.balance > kUnbalanced && facts.nonzeros > kCellsThatWeigh * facts.active_ranks)
    advice.push_back(
        fmt::format("the heaviest MPI rank holds {:.2f} x the mean: the others wait for it; try another "
                    "--grid, or fewer ranks",
                    facts.balance));
  return advice;
}

}  // namespace tempera::drivers
