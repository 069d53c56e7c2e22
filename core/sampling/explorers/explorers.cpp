#include "core/sampling/explorers/explorers.hpp"

#include <fmt/format.h>

#include <array>
#include <stdexcept>

#include "core/base/error.hpp"
#include "core/base/option_schema.hpp"
#include "core/base/text.hpp"
#include "core/sampling/explorers/auto_mala_explorer.hpp"
#include "core/sampling/explorers/composite_explorer.hpp"
#include "core/sampling/explorers/elliptical_slice_explorer.hpp"
#include "core/sampling/explorers/hmc_explorer.hpp"
#include "core/sampling/explorers/independence_explorer.hpp"
#include "core/sampling/explorers/mala_explorer.hpp"
#include "core/sampling/explorers/nuts_explorer.hpp"
#include "core/sampling/explorers/random_walk_explorer.hpp"
#include "core/sampling/explorers/slice_explorer.hpp"

namespace tempera {

namespace {

constexpr const char* kWhere = "--explorer";

/// A row of the table of explorers.
struct Entry {
  const char* name;
  const char* summary;
  std::vector<NamedSetting> (*settings)(const Entry&);
  std::unique_ptr<Explorer> (*make)(const Entry&, std::string_view settings);
};

template <class T>
std::vector<NamedSetting> settings_of(const Entry& entry) {
  typename T::Options options;
  OptionSchema schema(entry.name, entry.summary);
  options.declare(schema);
  return describe_settings(schema);
}

template <class T>
std::unique_ptr<Explorer> make(const Entry& entry, std::string_view settings) {
  typename T::Options options;
  OptionSchema schema(entry.name, entry.summary);
  options.declare(schema);
  if (!settings.empty())
    for (const std::string_view setting : split(settings, ',')) apply_setting(schema, setting, "explorer", kWhere);
  return std::make_unique<T>(options);
}

template <class T>
constexpr Entry entry(const char* name, const char* summary) {
  return {name, summary, settings_of<T>, make<T>};
}

constexpr std::array kEntries{
    entry<SliceExplorer>("slice", "slice sampling with doubling; nothing to tune"),
    entry<RandomWalkExplorer>("rwm", "random-walk Metropolis with the covariance of the chain"),
    entry<NutsExplorer>("nuts", "the no-U-turn sampler"),
    entry<HmcExplorer>("hmc", "Hamiltonian Monte Carlo with paths of one length"),
    entry<MalaExplorer>("mala", "Langevin moves"),
    entry<AutoMalaExplorer>("automala", "Langevin moves that choose their step where they are"),
    entry<EllipticalSliceExplorer>("elliptical", "elliptical slice sampling around a t approximation"),
    entry<IndependenceExplorer>("independence", "independent proposals from a t approximation"),
};

std::unique_ptr<Explorer> make_one(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view settings = colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
  std::vector<std::string> names;
  for (const Entry& candidate : kEntries) names.push_back(candidate.name);
  const Entry& found = kEntries[find_named(text.substr(0, colon), names, "explorer", kWhere)];
  return found.make(found, settings);
}

double parse_weight(std::string_view text) {
  try {
    return std::get<double>(parse_option_value(OptionKind::real, text));
  } catch (const std::invalid_argument& problem) {
    throw Error(Category::usage, kWhere, fmt::format("weight {}", problem.what()));
  }
}

}  // namespace

std::vector<ExplorerDescription> describe_explorers() {
  std::vector<ExplorerDescription> descriptions;
  for (const Entry& candidate : kEntries)
    descriptions.push_back({candidate.name, candidate.summary, candidate.make(candidate, {})->needs_gradient(),
                            candidate.settings(candidate)});
  return descriptions;
}

std::unique_ptr<Explorer> make_explorer(std::string_view text) {
  std::vector<std::unique_ptr<Explorer>> parts;
  std::vector<double> weights;
  for (const std::string_view part : split(text, '+')) {
    const std::size_t at = part.rfind('@');
    parts.push_back(make_one(part.substr(0, at)));
    if (at != std::string_view::npos) weights.push_back(parse_weight(part.substr(at + 1)));
  }
  if (weights.empty() && parts.size() == 1) return std::move(parts.front());
  if (weights.empty()) return std::make_unique<CycleExplorer>(std::move(parts));
  if (weights.size() != parts.size())
    throw Error(Category::usage, kWhere, fmt::format("'{}' gives weights to some explorers and not to others", text),
                "with weights one is drawn at random each step, without them all take their turn");
  return std::make_unique<MixtureExplorer>(std::move(parts), std::move(weights));
}

}  // namespace tempera
