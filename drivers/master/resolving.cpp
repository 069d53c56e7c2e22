#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "drivers/master/engine_options.hpp"
#include "drivers/master/links.hpp"

namespace tempera::drivers {

namespace {

using Json = nlohmann::ordered_json;
using ValueOf = std::function<std::optional<Json>(const Reference&)>;

/// A text, or a list's entry, with its references replaced.
struct Filled {
  Json value;
  bool written = false;
  bool unknown = false;
  bool inactive = false;  // a parameter in it has no value at this point
};

std::string as_text(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

class Filler {
 public:
  Filler(const Study& study, const Stage& stage, const nlohmann::json* point, const ValueOf& value_of)
      : study_(study),
        stage_(stage),
        point_(point),
        value_of_(value_of),
        names_(stage_names(study)),
        own_(stage.engine) {}

  void add(const OptionEntry& option, FilledOptions& result) const {
    try {
      OptionEntry entry = option;
      const Option* const declared = own_.schema().find(option.key);
      const OptionKind kind = declared == nullptr ? OptionKind::text : declared->kind();
      if (option.value.is_string()) {
        Filled filled = fill(option.key, option.value.get<std::string>());
        if (filled.inactive) return;
        if (filled.unknown) return result.unknown.push_back(option);
        entry.value = takes_text(kind) && !filled.value.is_string() ? Json(as_text(filled.value)) : filled.value;
        entry.written = filled.written;
      } else if (option.value.is_array()) {
        if (!fill_list(option, kind, entry)) return result.unknown.push_back(option);
      }
      if (is_input_path(stage_.engine, entry.key)) locate(entry);
      result.entries.push_back(std::move(entry));
    } catch (const Error& error) {
      throw Error(error.category(), option.where, option.key + ": " + error.what_is_wrong(), error.hint());
    }
  }

 private:
  static bool takes_text(OptionKind kind) {
    return kind == OptionKind::text || kind == OptionKind::path || kind == OptionKind::choice ||
           kind == OptionKind::texts || kind == OptionKind::duration;
  }

  Filled fill(const std::string& key, const std::string& text) const {
    const StudyText parsed = parse_study_text(text, text_rules(study_, names_, stage_, key));
    if (parsed.whole) {
      const std::optional<Json> value = value_of_(parsed.pieces.front().reference);
      if (!value) return {{}, false, true, false};
      return {*value, value->is_string(), false, false};
    }
    Filled filled{"", parsed.replaced, false, false};
    std::string result;
    for (const TextPiece& piece : parsed.pieces) {
      if (piece.kind == TextPiece::Kind::literal) result += piece.text;
      if (piece.kind == TextPiece::Kind::reference) result += as_text(value_of_(piece.reference).value_or(1));
      if (piece.kind == TextPiece::Kind::parameter) add_parameter(piece.text, result, filled);
    }
    filled.value = std::move(result);
    return filled;
  }

  void add_parameter(const std::string& name, std::string& result, Filled& filled) const {
    if (point_ == nullptr)
      throw Error(Category::usage, "",
                  fmt::format("{{{}}} stands for a parameter of trials, but this stage is no trial", name),
                  fmt::format("name it by objective.stage of an optimize stage; braces that are meant are written "
                              "{{{{{}}}}}",
                              name));
    const auto value = point_->find(name);
    filled.inactive = filled.inactive || value == point_->end();
    if (value != point_->end()) result += value->is_string() ? value->get<std::string>() : value->dump();
  }

  /// @return whether all its values are known
  bool fill_list(const OptionEntry& option, OptionKind kind, OptionEntry& entry) const {
    entry.value = Json::array();
    bool replaced = false;
    for (const Json& item : option.value) {
      if (!item.is_string()) {
        entry.value.push_back(item);
        continue;
      }
      Filled filled = fill(option.key, item.get<std::string>());
      if (filled.unknown) return false;
      replaced = replaced || filled.written || filled.value != item;
      if (filled.inactive) continue;
      entry.value.push_back(kind == OptionKind::texts ? Json(as_text(filled.value)) : filled.value);
    }
    if (kind != OptionKind::integers || !replaced) return true;
    std::string text;
    for (const Json& item : entry.value) text += (text.empty() ? "" : ",") + as_text(item);
    entry.value = text;
    entry.written = true;
    return true;
  }

  void locate(OptionEntry& entry) const {
    const auto located = [&](const std::string& path) {
      const bool is_word = entry.key == "init" && (path == "random" || path == "nvecs");
      return is_word ? path : study_.located(path);
    };
    const auto located_list = [&](const std::string& paths) {
      std::string result;
      for (const std::string_view path : split(paths, ','))
        result += (result.empty() ? "" : ",") + located(std::string(path));
      return result;
    };
    if (entry.value.is_string())
      entry.value = entry.key == "warm-start" ? located_list(entry.value.get<std::string>())
                                              : located(entry.value.get<std::string>());
    if (entry.value.is_array())
      for (Json& item : entry.value)
        if (item.is_string()) item = located_list(item.get<std::string>());
  }

  const Study& study_;
  const Stage& stage_;
  const nlohmann::json* point_;
  const ValueOf& value_of_;
  std::vector<std::string> names_;
  EngineOptions own_;
};

ValueOf values_from(const StudyGraph& graph, const Results& results);

/// The value that an instance got from a sweep; one with references in it as the instance itself understood it.
Json swept_value(const StudyGraph& graph, const Stage& stage, const OptionEntry& swept, const Results& results) {
  const std::vector<std::string> names = stage_names(graph.study);
  for (const std::string& text : texts_in(swept.value))
    for (const TextPiece& piece : parse_study_text(text, text_rules(graph.study, names, stage, swept.key)).pieces)
      if (piece.kind == TextPiece::Kind::reference)
        return fill_in(graph.study, stage, {swept}, nullptr, values_from(graph, results)).entries.at(0).value;
  return swept.value;
}

ValueOf values_from(const StudyGraph& graph, const Results& results) {
  return [&graph, &results](const Reference& reference) -> std::optional<Json> {
    const std::size_t stage = *graph.study.find(reference.stage);
    std::size_t instance = 0;
    if (reference.label.empty()) {
      instance = selected(graph, stage, results);
    } else {
      for (const std::size_t i : graph.of_stage[stage])
        if (graph.instances[i].label == reference.label) instance = i;
    }
    const InstanceResult* const result = results(instance);
    if (result == nullptr)
      throw Error(Category::input, "", fmt::format("'{}' has no results", graph.instances[instance].name), "");
    if (reference.key.starts_with("sweep."))
      for (const OptionEntry& swept : graph.instances[instance].swept)
        if ("sweep." + swept.key == reference.key) return swept_value(graph, graph.study.stages[stage], swept, results);
    return result_of(graph.study.stages[stage], *result, reference.key);
  };
}

}  // namespace

FilledOptions fill_in(const Study& study, const Stage& stage, const std::vector<OptionEntry>& options,
                      const nlohmann::json* point, const ValueOf& value_of) {
  const Filler filler(study, stage, point, value_of);
  FilledOptions result;
  for (const OptionEntry& option : options) filler.add(option, result);
  return result;
}

std::vector<OptionEntry> resolve(const StudyGraph& graph, std::size_t instance, const Results& results) {
  const Instance& one = graph.instances[instance];
  return fill_in(graph.study, graph.study.stages[one.stage], options_of(graph.study, one), nullptr,
                 values_from(graph, results))
      .entries;
}

std::vector<OptionEntry> resolve_trial(const StudyGraph& graph, std::size_t optimize, const nlohmann::json& point,
                                       const Results& results) {
  const Stage& stage = graph.study.stages[graph.instances[optimize].stage];
  Instance trial;
  trial.stage = *graph.study.find(stage.objective->stage);
  return fill_in(graph.study, graph.study.stages[trial.stage], options_of(graph.study, trial), &point,
                 values_from(graph, results))
      .entries;
}

}  // namespace tempera::drivers
