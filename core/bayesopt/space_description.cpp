#include <algorithm>
#include <array>

#include "core/base/error.hpp"
#include "core/bayesopt/space.hpp"

namespace tempera {

namespace {

using nlohmann::ordered_json;

ParameterType parameter_type(const std::string& name) {
  for (const ParameterType type : {ParameterType::real, ParameterType::integer, ParameterType::ordinal,
                                   ParameterType::categorical, ParameterType::boolean})
    if (parameter_type_name(type) == name) return type;
  throw Error(Category::input, "", "'" + name + "' is no type of a parameter");
}

std::vector<nlohmann::json> values_of(const ordered_json& list) {
  return {list.begin(), list.end()};
}

}  // namespace

ordered_json Space::description() const {
  ordered_json all;
  all["parameters"] = ordered_json::array();
  for (const Parameter& parameter : parameters_) {
    ordered_json described;
    described["name"] = parameter.name;
    described["type"] = parameter_type_name(parameter.type);
    if (parameter.type == ParameterType::real) {
      described["low"] = parameter.low;
      described["high"] = parameter.high;
    } else if (parameter.type == ParameterType::integer) {
      described["low"] = parameter.lowest();
      described["high"] = parameter.highest();
    } else if (parameter.type != ParameterType::boolean) {
      described["choices"] = parameter.choices;
    }
    if (parameter.log_scale) described["scale"] = "log";
    if (!parameter.when.parent.empty())
      described["when"] = {{"parent", parameter.when.parent}, {"values", parameter.when.values}};
    if (!parameter.initial.is_null()) described["initial"] = parameter.initial;
    if (!parameter.unit.empty()) described["unit"] = parameter.unit;
    all["parameters"].push_back(std::move(described));
  }
  all["constraints"] = ordered_json::array();
  for (const Expression& constraint : constraints_) all["constraints"].push_back(constraint.text());
  return all;
}

Space Space::from_description(const ordered_json& description) {
  std::vector<Parameter> parameters;
  for (const ordered_json& described : description.at("parameters")) {
    Parameter parameter;
    parameter.name = described.at("name");
    parameter.type = parameter_type(described.at("type"));
    if (parameter.type == ParameterType::real || parameter.type == ParameterType::integer) {
      parameter.low = described.at("low");
      parameter.high = described.at("high");
    } else if (parameter.type != ParameterType::boolean) {
      parameter.choices = values_of(described.at("choices"));
    }
    if (parameter.type == ParameterType::integer) {
      parameter.whole_low = described.at("low").get<std::int64_t>();
      parameter.whole_high = described.at("high").get<std::int64_t>();
    }
    parameter.log_scale = described.contains("scale");
    if (described.contains("when"))
      parameter.when = {described.at("when").at("parent"), values_of(described.at("when").at("values"))};
    if (described.contains("initial")) parameter.initial = described.at("initial");
    if (described.contains("unit")) parameter.unit = described.at("unit");
    parameters.push_back(std::move(parameter));
  }
  return Space(std::move(parameters), description.at("constraints").get<std::vector<std::string>>());
}

}  // namespace tempera
