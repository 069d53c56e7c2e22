#include "core/bayesopt/space_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <toml++/toml.h>
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

std::string kind_of(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::string: return "a text";
    case toml::node_type::integer: return "a whole number";
    case toml::node_type::floating_point: return "a number";
    case toml::node_type::boolean: return "true or false";
    case toml::node_type::array: return "an array";
    case toml::node_type::table: return "a table";
    default: return "a date or time";
  }
}

/// One table of the file, which knows its lines.
class StrictTable {
 public:
  /// @param what  it describes: "parameter"
  StrictTable(const std::string& file, std::string what, const toml::table& table)
      : file_(file), what_(std::move(what)), table_(table) {}

  /// FILE:LINE of a key, or of the table if it has none such.
  std::string where(std::string_view key = {}) const {
    for (const auto& [name, node] : table_)
      if (name.str() == key) return fmt::format("{}:{}", file_, name.source().begin.line);
    return fmt::format("{}:{}", file_, table_.source().begin.line);
  }

  [[noreturn]] void refuse(std::string_view key, const std::string& what_is_wrong, const std::string& hint) const {
    throw Error(Category::input, where(key), label_ + what_is_wrong, hint);
  }

  /// Later messages name it.
  void name_it(const std::string& name) { label_ = fmt::format("{} '{}': ", what_, name); }

  void allow(const std::vector<std::string>& keys, const std::string& of) const {
    for (const auto& [name, node] : table_) {
      if (std::find(keys.begin(), keys.end(), name.str()) != keys.end()) continue;
      const auto nearest = nearest_name(name.str(), keys);
      refuse(name.str(), fmt::format("unknown key '{}'", name.str()),
             nearest ? fmt::format("did you mean '{}'?", *nearest)
                     : fmt::format("keys of {} are {}", of, fmt::join(keys, ", ")));
    }
  }

  const toml::node* find(std::string_view key) const { return table_.get(key); }
  const toml::node& need(std::string_view key, const std::string& hint) const {
    const toml::node* node = find(key);
    if (node == nullptr) refuse("", fmt::format("'{}' is missing", key), hint);
    return *node;
  }

  std::string text(std::string_view key, const toml::node& node) const {
    const auto text = node.value_exact<std::string>();
    if (!text) refuse(key, fmt::format("{} is {}, not a text", key, kind_of(node)), "put it in quotes");
    return *text;
  }

  /// One of some words.
  std::string word(std::string_view key, const toml::node& node, const std::vector<std::string>& words) const {
    const std::string given = text(key, node);
    if (std::find(words.begin(), words.end(), given) != words.end()) return given;
    const auto nearest = nearest_name(given, words);
    refuse(
        key, fmt::format("unknown {} '{}'", key, given),
        nearest ? fmt::format("did you mean '{}'?", *nearest) : fmt::format("it is one of {}", fmt::join(words, ", ")));
  }

  json scalar(std::string_view key, const toml::node& node) const {
    if (const auto text = node.value_exact<std::string>()) return *text;
    if (const auto flag = node.value_exact<bool>()) return *flag;
    if (const auto whole = node.value_exact<std::int64_t>()) return *whole;
    const auto real = node.value_exact<double>();
    if (real && std::isfinite(*real)) return *real;
    refuse(key, fmt::format("{} is {}", key, real ? "not finite" : kind_of(node)),
           "values are numbers, texts, true or false");
  }

 private:
  const std::string& file_;
  std::string what_;
  std::string label_;
  const toml::table& table_;
};

void read_bound(const StrictTable& table, std::string_view key, ParameterType type, double& bound,
                std::optional<std::int64_t>& whole) {
  const toml::node& node = table.need(key, "give the bounds low and high");
  if (const auto integer = node.value_exact<std::int64_t>()) {
    bound = static_cast<double>(*integer);
    if (type == ParameterType::integer) whole = *integer;
    return;
  }
  const auto real = node.value_exact<double>();
  if (!real) table.refuse(key, fmt::format("{} is {}, not a number", key, kind_of(node)), "write it without quotes");
  bound = *real;
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
  parameter.name = table.text("name", table.need("name", "every parameter has a name"));
  table.name_it(parameter.name);
  const std::string type =
      table.word("type", table.need("type", fmt::format("types are {}", fmt::join(kTypes, ", "))), kTypes);
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
    if (const toml::node* scale = table.find("scale"))
      parameter.log_scale = table.word("scale", *scale, {"linear", "log"}) == "log";
  } else if (parameter.type != ParameterType::boolean) {
    const toml::array* choices = table.need("choices", "list them: choices = [\"a\", \"b\"]").as_array();
    if (choices == nullptr) table.refuse("choices", "choices is not an array", "list them: choices = [\"a\", \"b\"]");
    for (const toml::node& choice : *choices) parameter.choices.push_back(table.scalar("choices", choice));
  }
  if (const toml::node* initial = table.find("initial")) parameter.initial = table.scalar("initial", *initial);
  if (const toml::node* unit = table.find("unit")) parameter.unit = table.text("unit", *unit);
  if (const toml::node* when = table.find("when")) {
    try {
      parameter.when = parse_condition(table.text("when", *when));
    } catch (const Error& problem) {
      if (!problem.where().empty()) throw;
      table.refuse("when", "when: " + problem.what_is_wrong(), problem.hint());
    }
  }
  return parameter;
}

class Reader {
 public:
  explicit Reader(const std::filesystem::path& file) : file_(file.string()) {}

  SpaceFile read(const toml::table& root) {
    StrictTable(file_, "", root).allow({"parameter", "constraint", "objective"}, "a space");
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
      if (const toml::node* expression = table.find("expression")) {
        expressions.push_back(table.text("expression", *expression));
        expression_tables.push_back(table);
      } else {
        add_name(table, "constraint", table.text("name", *table.find("name")), reported);
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
  std::vector<StrictTable> tables(const toml::table& root, const std::string& key) const {
    std::vector<StrictTable> found;
    const toml::node* const node = root.get(key);
    if (node == nullptr) return found;
    const toml::array* const array = node->as_array();
    if (array == nullptr || (!array->empty() && !array->is_homogeneous(toml::node_type::table)))
      StrictTable(file_, "", root)
          .refuse(key, fmt::format("'{}' is not a list of tables", key), fmt::format("write each as [[{}]]", key));
    for (const toml::node& table : *array) found.emplace_back(file_, key, *table.as_table());
    return found;
  }

  void add_name(const StrictTable& table, const std::string& what, const std::string& name,
                std::vector<std::string>& names) const {
    if (name.empty()) table.refuse("name", fmt::format("a {} has an empty name", what), "name it as trials report it");
    if (std::find(names.begin(), names.end(), name) != names.end())
      table.refuse("name", fmt::format("there are two {}s '{}'", what, name), "name each once");
    names.push_back(name);
  }

  std::vector<Objective> read_objectives(const toml::table& root) const {
    std::vector<Objective> objectives;
    std::vector<std::string> names;
    for (StrictTable& table : tables(root, "objective")) {
      table.allow({"name", "direction"}, "an objective");
      Objective objective;
      if (const toml::node* name = table.find("name")) objective.name = table.text("name", *name);
      add_name(table, "objective", objective.name, names);
      table.name_it(objective.name);
      if (const toml::node* direction = table.find("direction"))
        objective.maximise = table.word("direction", *direction, {"minimize", "maximize"}) == "maximize";
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
  try {
    return Reader(file).read(toml::parse(text, file.string()));
  } catch (const toml::parse_error& problem) {
    throw Error(Category::input, fmt::format("{}:{}", file.string(), problem.source().begin.line),
                std::string(problem.description()), "the file must be TOML: key = value, texts in quotes");
  }
}

}  // namespace tempera
