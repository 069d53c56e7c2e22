#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "core/base/text.hpp"
#include "core/bayesopt/detail/tokens.hpp"
#include "core/bayesopt/space.hpp"

namespace tempera {

namespace {

using nlohmann::json;

constexpr double kMostCells = 0x1p53;  // numbers of cells are doubles

bool has_bounds(const Parameter& parameter) {
  return parameter.type == ParameterType::real || parameter.type == ParameterType::integer;
}

bool has_choices(const Parameter& parameter) {
  return parameter.type == ParameterType::ordinal || parameter.type == ParameterType::categorical;
}

bool fits_int64(double value) {
  return value >= -0x1p63 && value < 0x1p63 && std::trunc(value) == value;
}

std::string quoted(const json& value) {
  return value.is_string() ? fmt::format("'{}'", value.get<std::string>()) : value.dump();
}

ExpressionName::Kind kind_of(const Parameter& parameter) {
  if (parameter.type == ParameterType::boolean) return ExpressionName::Kind::boolean;
  const bool numeric = std::all_of(parameter.choices.begin(), parameter.choices.end(),
                                   [](const json& choice) { return choice.is_number(); });
  return has_bounds(parameter) || numeric ? ExpressionName::Kind::number : ExpressionName::Kind::choice;
}

}  // namespace

Space::Space(std::vector<Parameter> parameters, std::vector<std::string> constraints)
    : parameters_(std::move(parameters)) {
  if (parameters_.empty())
    throw SpaceError({}, {}, "parameter", "the space has no parameter", "describe each in a [[parameter]] table");
  check_names();
  scales_.resize(parameters_.size());
  activations_.resize(parameters_.size());
  for (Index i = 0; i < size(); ++i) check_parameter(i);
  for (Index i = 0; i < size(); ++i) check_condition(i);
  order_by_parents();
  for (Index i = 0; i < size(); ++i) check_initial(i);
  add_features();
  for (const Parameter& parameter : parameters_) kinds_.push_back(kind_of(parameter));
  for (std::size_t i = 0; i < constraints.size(); ++i) add_constraint(static_cast<Index>(i), std::move(constraints[i]));
}

void Space::refuse(Index parameter, const std::string& key, const std::string& what_is_wrong,
                   const std::string& hint) const {
  throw SpaceError(parameter, {}, key, fmt::format("parameter '{}': {}", at(parameter).name, what_is_wrong), hint);
}

void Space::check_names() const {
  for (Index i = 0; i < size(); ++i) {
    const std::string& name = at(i).name;
    if (name.empty()) throw SpaceError(i, {}, "name", fmt::format("parameter {} has no name", i + 1), "");
    if (!detail::is_plain_name(name) || name == "true" || name == "false")
      refuse(i, "name", "this cannot be a name", "names are letters, digits, '_' and '.', and begin with a letter");
    for (Index j = 0; j < i; ++j)
      if (at(j).name == name) refuse(i, "name", "there are two parameters of this name");
  }
}

void Space::check_parameter(Index i) {
  Parameter& parameter = parameters_[static_cast<std::size_t>(i)];
  if (!has_bounds(parameter)) {
    if (parameter.log_scale) refuse(i, "scale", fmt::format("a {} has no scale", parameter_type_name(parameter.type)));
    if (!has_choices(parameter)) return;
    if (parameter.choices.empty()) refuse(i, "choices", "it has no choices");
    for (auto choice = parameter.choices.begin(); choice != parameter.choices.end(); ++choice) {
      if (!choice->is_string() && !choice->is_number() && !choice->is_boolean())
        refuse(i, "choices", fmt::format("choice {} is not a text, a number, true or false", choice->dump()));
      if (std::find(parameter.choices.begin(), choice, *choice) != choice)
        refuse(i, "choices", fmt::format("the choice {} is there twice", quoted(*choice)));
    }
    return;
  }
  if (!std::isfinite(parameter.low) || !std::isfinite(parameter.high))
    refuse(i, "low", fmt::format("its bounds {} and {} are not finite", parameter.low, parameter.high));
  if (parameter.type == ParameterType::integer) {
    if ((!parameter.whole_low && !fits_int64(parameter.low)) || (!parameter.whole_high && !fits_int64(parameter.high)))
      refuse(i, "low",
             fmt::format("its bounds {} and {} are not whole numbers of 64 bits", parameter.low, parameter.high));
    if (parameter.lowest() >= parameter.highest())
      refuse(i, "low", fmt::format("its low {} is not below its high {}", parameter.lowest(), parameter.highest()),
             parameter.lowest() == parameter.highest() ? "a constant belongs into the command" : "exchange the two");
    parameter.low = static_cast<double>(parameter.lowest());
    parameter.high = static_cast<double>(parameter.highest());
    if (parameter.high - parameter.low >= kMostCells)
      refuse(i, "low", "it has more than 2^53 values", "narrow its bounds");
  }
  if (parameter.type == ParameterType::real && parameter.low >= parameter.high)
    refuse(i, "low", fmt::format("its low {} is not below its high {}", parameter.low, parameter.high),
           parameter.low == parameter.high ? "a constant belongs into the command" : "exchange the two");
  if (!std::isfinite(parameter.high - parameter.low)) refuse(i, "low", "its bounds are too far apart for a double");
  if (parameter.log_scale && parameter.low <= 0)
    refuse(i, "low", fmt::format("its low {} is not positive, as a log scale needs", parameter.low),
           "raise low, or take the linear scale");
  const bool separable = parameter.low < parameter.high;  // not so for neighbours beyond 2^53
  if (separable)
    scales_[static_cast<std::size_t>(i)] = SpaceScale(parameter.low, parameter.high, parameter.log_scale);
  else if (parameter.log_scale)
    refuse(i, "low", "its bounds are too near to each other for a log scale");
}

void Space::check_condition(Index i) {
  const Condition& when = at(i).when;
  if (when.parent.empty()) {
    if (!when.values.empty()) refuse(i, "when", "it has a condition without a parent");
    return;
  }
  Activation& activation = activations_[static_cast<std::size_t>(i)];
  std::vector<std::string> names;
  for (Index j = 0; j < size(); ++j) {
    names.push_back(at(j).name);
    if (at(j).name == when.parent) activation.parent = j;
  }
  if (activation.parent < 0) {
    const auto nearest = nearest_name(when.parent, names);
    refuse(i, "when", fmt::format("it depends on '{}', which is no parameter", when.parent),
           nearest ? fmt::format("did you mean '{}'?", *nearest)
                   : fmt::format("parameters are {}", fmt::join(names, ", ")));
  }
  if (at(activation.parent).type == ParameterType::real)
    refuse(i, "when", fmt::format("it depends on '{}', which is real", when.parent),
           "a condition is on a choice, a boolean or an integer");
  if (when.values.empty()) refuse(i, "when", fmt::format("it depends on '{}' but on no value of it", when.parent));
  for (const json& value : when.values) {
    try {
      activation.cells.push_back(entry_of(activation.parent, value));
    } catch (const Error& problem) {
      refuse(i, "when", fmt::format("it depends on a value that is none of '{}'", when.parent),
             fmt::format("{}{}{}", problem.what_is_wrong(), problem.hint().empty() ? "" : "; ", problem.hint()));
    }
  }
}

void Space::order_by_parents() {
  std::vector<bool> placed(parameters_.size(), false);
  for (Index i = 0; i < size(); ++i) {
    // Up to the first ancestor that has its place, then down again; more steps than parameters are a cycle.
    std::vector<Index> line;
    for (Index j = i; j >= 0 && !placed[static_cast<std::size_t>(j)];
         j = activations_[static_cast<std::size_t>(j)].parent) {
      if (std::find(line.begin(), line.end(), j) != line.end()) {
        std::vector<std::string> names;
        for (auto k = std::find(line.begin(), line.end(), j); k != line.end(); ++k) names.push_back(at(*k).name);
        names.push_back(at(j).name);
        refuse(j, "when", fmt::format("conditions depend on each other in a cycle: {}", fmt::join(names, " on ")));
      }
      line.push_back(j);
    }
    for (auto j = line.rbegin(); j != line.rend(); ++j) {
      order_.push_back(*j);
      placed[static_cast<std::size_t>(*j)] = true;
    }
  }
}

void Space::check_initial(Index i) const {
  if (at(i).initial.is_null()) return;
  try {
    entry_of(i, at(i).initial);
  } catch (const Error& problem) {
    const std::string named = fmt::format("parameter '{}': ", at(i).name);
    refuse(i, "initial", "its initial value: " + problem.what_is_wrong().substr(named.size()), problem.hint());
  }
}

void Space::add_features() {
  for (Index i = 0; i < size(); ++i) {
    first_feature_.push_back(features());
    const Index own = at(i).type == ParameterType::categorical ? at(i).cells() : 1;
    parameter_of_feature_.insert(parameter_of_feature_.end(),
                                 static_cast<std::size_t>(own + (at(i).when.parent.empty() ? 0 : 1)), i);
  }
}

void Space::add_constraint(Index i, std::string text) {
  std::vector<ExpressionName> names;
  for (std::size_t j = 0; j < parameters_.size(); ++j)
    names.push_back({parameters_[j].name, kinds_[j], parameters_[j].choices});
  const std::string named = fmt::format("constraint '{}': ", text);
  try {
    constraints_.emplace_back(std::move(text), names);
  } catch (const Error& problem) {
    throw SpaceError({}, i, "expression", named + problem.what_is_wrong(), problem.hint());
  }
  if (!constraints_.back().is_condition())
    throw SpaceError({}, i, "expression", named + "it is a number, not true or false",
                     "compare it with a bound: … <= 1");
}

}  // namespace tempera
