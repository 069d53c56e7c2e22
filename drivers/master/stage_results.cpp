#include "drivers/master/stage_results.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/bayesopt/objectives.hpp"

namespace tempera::drivers {

namespace {

using Json = nlohmann::ordered_json;
using Kind = ResultKind;

constexpr std::string_view kBest = "best.";
constexpr std::string_view kSweep = "sweep.";

Error usage(const std::string& what, const std::string& hint) {
  return {Category::usage, "", what, hint};
}

bool matches(std::string_view pattern, const std::string& key) {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == key;
  const std::string_view before = pattern.substr(0, star), after = pattern.substr(star + 1);
  return key.size() > before.size() + after.size() && key.starts_with(before) && key.ends_with(after);
}

/// The option as the stage itself has it, whatever an instance changes; null if it does not.
Json option_of(const Stage& stage, const char* key) {
  const OptionEntry* const option = stage.option(key);
  return option == nullptr ? Json() : option->value;
}

/// Whether the stage's options leave open that a key has a value.
void check_options(const Stage& stage, const std::string& key) {
  if (stage.engine != Engine::decompose && stage.engine != Engine::sample) return;
  const char* const loss = stage.engine == Engine::decompose ? "loss" : "likelihood";
  const Json form = stage.sweep(loss) != nullptr ? Json() : option_of(stage, loss);
  const bool counts = form == "poisson", squares = form.is_null() ? stage.sweep(loss) == nullptr : form == "gaussian";
  if (key.starts_with("holdout.") && stage.option("holdout") == nullptr && stage.sweep("holdout") == nullptr)
    throw usage(fmt::format("'{}' has no {}: nothing is held out", stage.name, key),
                fmt::format("add holdout = 0.1 to stage '{}'", stage.name));
  if ((key == "deviance" || key == "holdout.deviance" || key == "kkt_violation") && squares)
    throw usage(fmt::format("'{}' has no {}: its {} is gaussian", stage.name, key, loss),
                fmt::format("add {} = \"poisson\" to stage '{}'", loss, stage.name));
  if (key == "holdout.squared_error" && counts)
    throw usage(fmt::format("'{}' has no {}: its {} is poisson", stage.name, key, loss), "holdout.deviance is there");
  if (stage.engine == Engine::sample && key.starts_with("log_evidence") &&
      (option_of(stage, "replicas") == 1 ||
       (option_of(stage, "algorithm") == "nuts" && option_of(stage, "replicas").is_null())))
    throw usage(fmt::format("'{}' has no {}: one replica has no ladder to the reference", stage.name, key),
                "leave replicas and algorithm out");
}

ResultKind kind_of(const Parameter& parameter) {
  switch (parameter.type) {
    case ParameterType::real: return Kind::number;
    case ParameterType::integer: return Kind::whole;
    case ParameterType::boolean: return Kind::flag;
    case ParameterType::ordinal:
    case ParameterType::categorical: break;
  }
  return Kind::any;
}

ResultKind best_kind(const Stage& stage, const std::string& parameter) {
  std::optional<Space> space;
  if (stage.space) {
    space = stage.space->space;
  } else if (option_of(stage, "objective").is_string()) {
    const Json settings = option_of(stage, "set");
    space = TestObjective(option_of(stage, "objective").get<std::string>(),
                          settings.is_array() ? settings.get<std::vector<std::string>>() : std::vector<std::string>())
                .space();
  }
  if (!space) return Kind::any;
  std::vector<std::string> names;
  for (const Parameter& known : space->parameters()) {
    if (known.name == parameter) return kind_of(known);
    names.push_back(known.name);
  }
  const auto nearest = nearest_name(parameter, names);
  throw usage(fmt::format("'{}' has no parameter '{}'", stage.name, parameter),
              nearest ? fmt::format("did you mean '{}.best.{}'?", stage.name, *nearest)
                      : fmt::format("parameters are {}", fmt::join(names, ", ")));
}

ResultKind swept_kind(const Stage& stage, const std::string& key) {
  if (stage.sweep(key) != nullptr) return Kind::any;
  throw usage(fmt::format("'{}' has no sweep.{}", stage.name, key), "see 'tempera help studies'");
}

std::vector<std::string> files_of(Engine engine) {
  if (engine == Engine::decompose) return {"folder", "factors"};
  if (engine == Engine::sample) return {"folder", "draws"};
  if (engine == Engine::optimize) return {"folder", "trials"};
  return {"folder"};
}

/// @param prefix  before a name that is proposed: a reference has the stage's, a metric none
ResultKind named_kind(const Study& study, std::size_t index, const std::string& key, const std::string& prefix) {
  const Stage& stage = study.stages[index];
  std::vector<std::string> names = files_of(stage.engine);
  if (std::find(names.begin(), names.end(), key) != names.end()) return Kind::text;
  if (stage.engine == Engine::optimize && key.starts_with(kBest)) return best_kind(stage, key.substr(kBest.size()));
  if (key.starts_with(kSweep)) return swept_kind(stage, key.substr(kSweep.size()));
  if (stage.engine == Engine::command) return Kind::any;
  for (const ResultKey& known : summary_keys(stage.engine)) {
    names.emplace_back(known.key);
    if (!matches(known.key, key)) continue;
    check_options(stage, key);
    return known.kind;
  }
  const auto nearest = nearest_name(key, names);
  throw usage(fmt::format("a run of {} has no result '{}'", name(stage.engine), key),
              nearest ? fmt::format("did you mean '{}{}'?", prefix, *nearest)
                      : fmt::format("there are {} and the keys of its summary.json; a file of that name is written "
                                    "\"./{}.{}\"",
                                    fmt::join(files_of(stage.engine), ", "), stage.name, key));
}

}  // namespace

ResultKind result_kind(const Study& study, std::size_t stage, const std::string& key) {
  return named_kind(study, stage, key, study.stages[stage].name + ".");
}

void check_metric(const Study& study, std::size_t stage, const std::string& metric) {
  const Kind kind = named_kind(study, stage, metric, "");
  if (kind == Kind::text || kind == Kind::flag)
    throw usage(fmt::format("'{}' is no number", metric), "name a number of the summary, such as \"fit\"");
}

Json result_of(const Stage& stage, const InstanceResult& result, const std::string& key) {
  const auto absolute = [&](const char* file) { return (std::filesystem::absolute(result.folder) / file).string(); };
  if (key == "folder") return std::filesystem::absolute(result.folder).string();
  if (stage.engine == Engine::decompose && key == "factors") return absolute("factors.h5");
  if (stage.engine == Engine::sample && key == "draws") return absolute("draws.nc");
  if (stage.engine == Engine::optimize && key == "trials") return absolute("trials.jsonl");
  std::string path = key;
  if (stage.engine == Engine::optimize && key.starts_with(kBest)) path.insert(kBest.size() - 1, "_point");
  const Json* at = &result.values;
  std::string_view rest = path;
  while (!rest.empty() && at->is_object()) {  // names may have dots themselves: the whole rest first
    std::size_t length = rest.size();
    while (length != std::string_view::npos && !at->contains(rest.substr(0, length)))
      length = length == 0 ? std::string_view::npos : rest.rfind('.', length - 1);
    if (length == std::string_view::npos) break;
    at = &at->at(rest.substr(0, length));
    rest.remove_prefix(std::min(rest.size(), length + 1));
  }
  if (!rest.empty())
    throw Error(Category::input, "", fmt::format("the results of '{}' have no '{}'", stage.name, key),
                stage.engine == Engine::command ? "a command prints them as a JSON object in its last line"
                                                : "see its summary.json");
  if (at->is_null() || at->is_object())
    throw Error(Category::input, "",
                fmt::format("'{}' of '{}' is {}", key, stage.name, at->is_null() ? "null" : "no value"),
                "see its summary.json for the reason");
  return *at;
}

double metric_of(const Stage& stage, const InstanceResult& result, const std::string& metric) {
  const Json value = result_of(stage, result, metric);
  if (!value.is_number() || !std::isfinite(value.get<double>()))
    throw Error(Category::input, "", fmt::format("'{}' of '{}' is {}, no number", metric, stage.name, value.dump()),
                "a metric is a number");
  return value.get<double>();
}

}  // namespace tempera::drivers
