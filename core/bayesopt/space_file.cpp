#include "core/bayesopt/space_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <fstream>
#include <iterator>

#include "core/base/text.hpp"
#include "core/bayesopt/condition.hpp"
#include "core/io/input_file.hpp"

namespace tempera {

namespace {

using nlohmann::json;

std::string kind_of(const TomlEntry& entry) {
  if (entry.value.is_string()) return "a text";
  return entry.value.is_number_integer() ? "a whole number" : toml_kind(entry.value);
}

/// One table of the file, which knows its lines.
class StrictTable {
 public:
  /// @param what  it describes: "parameter"
  StrictTable(std::string what, const TomlTable& table) : what_(std::move(what)), table_(table) {}

  /// FILE:LINE of a key, or of the table if it has none such.
  std::string where(std::string_view key = {}) const {
    const TomlEntry* const entry = find(key);
    return entry != nullptr ? entry->where : table_.where;
  }

  [[noreturn]] void refuse(std::string_view key, const std::string& what_is_wrong, const std::string& hint) const {
    throw Error(Category::input, where(key), label_ + what_is_wrong, hint);
  }

  /// Later messages name it.
  void name_it(const std::string& name) { label_ = fmt::format("{} '{}': ", what_, name); }

  void allow(const std::vector<std::string>& keys, const std::string& of) const {
    for (const auto& [name, where, value, tables] : table_.entries) {
      if (std::find(keys.begin(), keys.end(), name) != keys.end()) continue;
      const auto nearest = nearest_name(name, keys);
      refuse(name, fmt::format("unknown key '{}'", name),
             nearest ? fmt::format("did you mean '{}'?", *nearest)
                     : fmt::format("keys of {} are {}", of, fmt::join(keys, ", ")));
    }
  }

  const TomlEntry* find(std::string_view key) const { return table_.find(key); }
  const TomlEntry& need(std::string_view key, const std::string& hint) const {
    const TomlEntry* entry = find(key);
    if (entry == nullptr) refuse("", fmt::format("'{}' is missing", key), hint);
    return *entry;
  }

  std::string text(const TomlEntry& entry) const {
    if (!entry.value.is_string())
      refuse(entry.key, fmt::format("{} is {}, not a text", entry.key, kind_of(entry)), "put it in quotes");
    return entry.value.get<std::string>();
  }

  /// One of some words.
  std::string word(const TomlEntry& entry, const std::vector<std::string>& words) const {
    const std::string given = text(entry);
    if (std::find(words.begin(), words.end(), given) != words.end()) return given;
    const auto nearest = nearest_name(given, words);
    refuse(
        entry.key, fmt::format("unknown {} '{}'", entry.key, given),
        nearest ? fmt::format("did you mean '{}'?", *nearest) : fmt::format("it is one of {}", fmt::join(words, ", ")));
  }

  json scalar(const TomlEntry& entry) const { return scalar(entry, entry.value); }
  /// @param value  of the entry, or in its array
  json scalar(const TomlEntry& entry, const nlohmann::ordered_json& value) const {
    const bool real = value.is_number_float();
    if (value.is_primitive() && !value.is_null() && (!real || std::isfinite(value.get<double>()))) return value;
    refuse(entry.key, fmt::format("{} is {}", entry.key, real ? "not finite" : kind_of({"", "", value, {}})),
           "values are numbers, texts, true or false");
  }

 private:
  std::string what_;
  std::string label_;
  const TomlTable& table_;
};

void read_bound(const StrictTable& table, std::string_view key, ParameterType type, double& bound,
                std::optional<std::int64_t>& whole) {
  const TomlEntry& entry = table.need(key, "give the bounds low and high");
  if (!entry.value.is_number())
    table.refuse(key, fmt::format("{} is {}, not a number", key, kind_of(entry)), "write it without quotes");
  bound = entry.value.get<double>();
  if (entry.value.is_number_integer() && type == ParameterType::integer) whole = entry.value.get<std::int64_t>();
}

const std::vector<std::string> kTypes = {"real", "integer", "ordinal", "categorical", "boolean"};

std::vector<std::string> keys_of(ParameterType type) {
  std::vector<std::string> keys = {"name", "type", "when", "initial", "unit"};
  if (type == ParameterType::real || type == ParameterType::integer)
    keys.insert(keys.end(), {"low", "high", "scale"});
  else if (type != ParameterType::boolean)
    keys.push_back("choices");
  return keys;
}

Parameter read_parameter(StrictTable& table) {
  Parameter parameter;
  parameter.name = table.text(table.need("name", "every parameter has a name"));
  table.name_it(parameter.name);
  const std::string type = table.word(table.need("type", fmt::format("types are {}", fmt::join(kTypes, ", "))), kTypes);
  parameter.type = static_cast<ParameterType>(std::find(kTypes.begin(), kTypes.end(), type) - kTypes.begin());
  const std::vector<std::string> keys = keys_of(parameter.type);
  const std::vector<std::string> all = {"low", "high", "scale", "choices"};
  for (const std::string& key : all)
    if (table.find(key) != nullptr && std::find(keys.begin(), keys.end(), key) == keys.end())
      table.refuse(key, fmt::format("a parameter of type {} has no {}", type, key),
                   fmt::format("its keys are {}", fmt::join(keys, ", ")));
  table.allow(keys, fmt::format("a parameter of type {}", type));
  if (std::find(keys.begin(), keys.end(), "low") != keys.end()) {
    read_bound(table, "low", parameter.type, parameter.low, parameter.whole_low);
    read_bound(table, "high", parameter.type, parameter.high, parameter.whole_high);
    if (const TomlEntry* scale = table.find("scale"))
      parameter.log_scale = table.word(*scale, {"linear", "log"}) == "log";
  } else if (parameter.type != ParameterType::boolean) {
    const TomlEntry& choices = table.need("choices", "list them: choices = [\"a\", \"b\"]");
    if (!choices.value.is_array())
      table.refuse("choices", "choices is not an array", "list them: choices = [\"a\", \"b\"]");
    for (const auto& choice : choices.value) parameter.choices.push_back(table.scalar(choices, choice));
  }
  if (const TomlEntry* initial = table.find("initial")) parameter.initial = table.scalar(*initial);
  if (const TomlEntry* unit = table.find("unit")) parameter.unit = table.text(*unit);
  if (const TomlEntry* when = table.find("when")) {
    try {
      parameter.when = parse_condition(table.text(*when));
    } catch (const Error& problem) {
      if (!problem.where().empty()) throw;
      table.refuse("when", "when: " + problem.what_is_wrong(), problem.hint());
    }
  }
  return parameter;
}

class Reader {
 public:
  explicit Reader(std::string file) : file_(std::move(file)) {}

  SpaceFile read(const TomlTable& root) {
    StrictTable("", root).allow({"parameter", "constraint", "objective"}, "a space");
    const std::vector<StrictTable> parameter_tables = tables(root, "parameter");
    std::vector<Parameter> parameters;
    for (StrictTable table : parameter_tables) parameters.push_back(read_parameter(table));
    std::vector<StrictTable> expression_tables;
    std::vector<std::string> expressions;
    std::vector<std::string> reported;
    for (StrictTable& table : tables(root, "constraint")) {
      table.allow({"expression", "name"}, "a constraint");
      if ((table.find("expression") == nullptr) == (table.find("name") == nullptr))
        table.refuse("", "a constraint has either an expression or a name",
                     "an expression is in the parameters; a name is of one that trials report");
      if (const TomlEntry* expression = table.find("expression")) {
        expressions.push_back(table.text(*expression));
        expression_tables.push_back(table);
      } else {
        add_name(table, "constraint", table.text(*table.find("name")), reported);
      }
    }
    std::vector<Objective> objectives = read_objectives(root);
    std::vector<std::string> places;
    for (const StrictTable& table : expression_tables) places.push_back(table.where("expression"));
    try {
      return {Space(std::move(parameters), std::move(expressions)), std::move(places), std::move(reported),
              std::move(objectives)};
    } catch (const SpaceError& problem) {
      std::string where = file_;
      if (problem.parameter())
        where = parameter_tables[static_cast<std::size_t>(*problem.parameter())].where(problem.key());
      if (problem.constraint())
        where = expression_tables[static_cast<std::size_t>(*problem.constraint())].where(problem.key());
      throw Error(Category::input, where, problem.what_is_wrong(), problem.hint());
    }
  }

 private:
  static std::vector<StrictTable> tables(const TomlTable& root, const std::string& key) {
    std::vector<StrictTable> found;
    const TomlEntry* const entry = root.find(key);
    if (entry == nullptr) return found;
    if (!entry->is_list_of_tables())
      StrictTable("", root).refuse(key, fmt::format("'{}' is not a list of tables", key),
                                   fmt::format("write each as [[{}]]", key));
    for (const TomlTable& table : entry->tables) found.emplace_back(key, table);
    return found;
  }

  void add_name(const StrictTable& table, const std::string& what, const std::string& name,
                std::vector<std::string>& names) const {
    if (name.empty()) table.refuse("name", fmt::format("a {} has an empty name", what), "name it as trials report it");
    if (std::find(names.begin(), names.end(), name) != names.end())
      table.refuse("name", fmt::format("there are two {}s '{}'", what, name), "name each once");
    names.push_back(name);
  }

  std::vector<Objective> read_objectives(const TomlTable& root) const {
    std::vector<Objective> objectives;
    std::vector<std::string> names;
    for (StrictTable& table : tables(root, "objective")) {
      table.allow({"name", "direction"}, "an objective");
      Objective objective;
      if (const TomlEntry* name = table.find("name")) objective.name = table.text(*name);
      add_name(table, "objective", objective.name, names);
      table.name_it(objective.name);
      if (const TomlEntry* direction = table.find("direction"))
        objective.maximise = table.word(*direction, {"minimize", "maximize"}) == "maximize";
      objectives.push_back(std::move(objective));
    }
    if (objectives.empty()) objectives.emplace_back();
    return objectives;
  }

  std::string file_;
};

}  // namespace

SpaceFile read_space_file(const std::filesystem::path& file) {
  check_input_file(file);
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw input_file_error(file, errno);
  const std::string text{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  return read_space(parse_toml(text, file.string(), Category::input), file.string());
}

SpaceFile read_space(const TomlTable& table, const std::string& where) {
  return Reader(where).read(table);
}

}  // namespace tempera
