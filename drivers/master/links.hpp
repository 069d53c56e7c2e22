#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/option_schema.hpp"
#include "drivers/master/instances.hpp"
#include "drivers/master/stage_results.hpp"
#include "drivers/master/study.hpp"
#include "drivers/master/study_text.hpp"

namespace tempera::drivers {

/// Instances that another one waits for: all of a stage, or one that is named.
struct Dependency {
  std::size_t stage = 0;
  std::optional<std::size_t> instance;
  bool any = false;  ///< a reference to the selected one: all must have ended, one of them well; else all of them well
  bool operator==(const Dependency&) const = default;
};

/// A study with its instances and what each of them waits for, free of cycles.
struct StudyGraph {
  Study study;
  std::vector<Instance> instances;
  std::vector<std::vector<std::size_t>> of_stage;  ///< its instances; none for a stage whose runs are trials
  std::vector<std::vector<Dependency>>
      waits_for;  ///< of each instance; an optimize stage waits for what its trials need too

  const Stage& stage_of(std::size_t instance) const { return study.stages[instances[instance].stage]; }
  std::span<const std::size_t> awaited(const Dependency& dependency) const {
    if (dependency.instance) return {&*dependency.instance, 1};
    return of_stage[dependency.stage];
  }
};

/// Expands a study and follows `needs` and all references.
/// @throws Error{usage} with FILE:LINE: references to what is not there, or to one of several instances without `select`;
///         cycles, "a -> b -> a"
StudyGraph make_graph(Study study);

/// Of an instance, as the master sees it.
enum class InstanceState { waiting, running, done, failed };

/// The result of an instance that has ended well; null for others.
using Results = std::function<const InstanceResult*(std::size_t instance)>;

/// The instance that a reference to the stage means: its only one, or the best by `select`, the first of equals.
/// @throws Error{input} at `select` if none ended well, or one has no such number
std::size_t selected(const StudyGraph& graph, std::size_t stage, const Results& results);

/// The option values of an instance, references filled in and paths of inputs found from the study's folder: for apply_entries
/// of the engine's schema. @pre the instance is ready
/// @throws Error{input} with FILE:LINE for results that are not there
std::vector<OptionEntry> resolve(const StudyGraph& graph, std::size_t instance, const Results& results);
/// The same of a trial of an optimize stage: the options of the stage that its objective names, {NAME} filled in.
/// @param optimize  instance of the optimize stage
/// @param point     the parameters' values, those that are not active left out; an option, or an entry of a list, with one of
///                  these is left out too
std::vector<OptionEntry> resolve_trial(const StudyGraph& graph, std::size_t optimize, const nlohmann::json& point,
                                       const Results& results);

/// What the above do, with any source of values.
struct FilledOptions {
  std::vector<OptionEntry> entries;
  std::vector<OptionEntry> unknown;  ///< whose value is a reference that `value_of` did not know
};
/// @param point     null: not a trial
/// @param value_of  within a text, what it does not know becomes "1"
/// @throws Error{usage} with FILE:LINE for what cannot stand in a text
FilledOptions fill_in(const Study& study, const Stage& stage, const std::vector<OptionEntry>& options,
                      const nlohmann::json* point,
                      const std::function<std::optional<nlohmann::ordered_json>(const Reference&)>& value_of);

/// Names of all stages.
std::vector<std::string> stage_names(const Study& study);
/// How texts of an option are read.
TextRules text_rules(const Study& study, const std::vector<std::string>& names, const Stage& stage,
                     const std::string& key);
/// All texts of a value: itself, or those in its array.
std::vector<std::string> texts_in(const nlohmann::ordered_json& value);

}  // namespace tempera::drivers
