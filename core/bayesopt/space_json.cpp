#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/contract.hpp"
#include "core/base/text.hpp"
#include "core/bayesopt/space.hpp"

namespace tempera {

namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr double kAbsent = std::numeric_limits<double>::quiet_NaN();

/// A whole number that JSON holds as an integer or as 3.0.
std::optional<std::int64_t> whole(const json& value) {
  if (value.is_number_unsigned() && value.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX))
    return std::nullopt;
  if (value.is_number_integer()) return value.get<std::int64_t>();
  if (!value.is_number_float()) return std::nullopt;
  const double number = value.get<double>();
  if (std::trunc(number) != number || std::abs(number) > 0x1p53) return std::nullopt;  // also NaN and infinities
  return static_cast<std::int64_t>(number);
}

std::string list_of(const std::vector<json>& choices) {
  std::vector<std::string> texts;
  for (const json& choice : choices) texts.push_back(choice.dump());
  return fmt::format("{}", fmt::join(texts, ", "));
}

}  // namespace

std::string_view parameter_type_name(ParameterType type) {
  switch (type) {
    case ParameterType::real: return "real";
    case ParameterType::integer: return "integer";
    case ParameterType::ordinal: return "ordinal";
    case ParameterType::categorical: return "categorical";
    case ParameterType::boolean: return "boolean";
  }
  return {};
}

double Space::entry_of(Index number, const json& value) const {
  const Parameter& parameter = at(number);
  const auto refuse_type = [&](std::string_view wanted) {
    refuse(number, "value",
           fmt::format("{} expected, not {}", wanted, value.dump(-1, ' ', false, json::error_handler_t::replace)));
  };
  switch (parameter.type) {
    case ParameterType::real: {
      if (!value.is_number()) refuse_type("a number");
      const double natural = value.get<double>();
      if (!(natural >= parameter.low && natural <= parameter.high))
        refuse(number, "value", fmt::format("{} is not within [{}, {}]", natural, parameter.low, parameter.high));
      return scales_[static_cast<std::size_t>(number)].rounded(
          scales_[static_cast<std::size_t>(number)].position(natural));
    }
    case ParameterType::integer: {
      const auto natural = whole(value);
      if (!natural) refuse_type("a whole number of 64 bits");
      if (*natural < parameter.lowest() || *natural > parameter.highest())
        refuse(number, "value",
               fmt::format("{} is not within [{}, {}]", *natural, parameter.lowest(), parameter.highest()));
      return static_cast<double>(static_cast<std::uint64_t>(*natural) - static_cast<std::uint64_t>(parameter.lowest()));
    }
    case ParameterType::boolean:
      if (!value.is_boolean()) refuse_type("true or false");
      return value.get<bool>() ? 1 : 0;
    default: break;
  }
  const auto found = std::find(parameter.choices.begin(), parameter.choices.end(), value);
  if (found == parameter.choices.end())
    refuse(number, "value",
           fmt::format("{} is none of its choices", value.dump(-1, ' ', false, json::error_handler_t::replace)),
           fmt::format("its choices are {}", list_of(parameter.choices)));
  return static_cast<double>(found - parameter.choices.begin());
}

json Space::value_of(Index number, double entry) const {
  const Parameter& parameter = at(number);
  switch (parameter.type) {
    case ParameterType::real: return scales_[static_cast<std::size_t>(number)].value(entry);
    case ParameterType::integer:  // in unsigned arithmetic: the range may be wider than 2^63
      return static_cast<std::int64_t>(static_cast<std::uint64_t>(parameter.lowest()) +
                                       static_cast<std::uint64_t>(entry));
    case ParameterType::boolean: return entry > 0.5;
    default: return parameter.choices[static_cast<std::size_t>(entry)];
  }
}

ordered_json Space::to_json(std::span<const double> point) const {
  TEMPERA_EXPECTS(std::ssize(point) == size());
  ordered_json values = ordered_json::object();
  for (Index i = 0; i < size(); ++i) {
    const double entry = point[static_cast<std::size_t>(i)];
    if (!std::isnan(entry)) values[at(i).name] = value_of(i, entry);
  }
  return values;
}

Point Space::from_json(const json& values) const {
  if (!values.is_object())
    throw Error(Category::input, "", "a point must be an object of parameters and values", R"(such as {"x": 0.5})");
  std::vector<std::string> names;
  for (const Parameter& parameter : parameters_) names.push_back(parameter.name);
  for (const auto& [name, value] : values.items()) {
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    const auto nearest = nearest_name(name, names);
    throw Error(Category::input, "", fmt::format("unknown parameter '{}'", name),
                nearest ? fmt::format("did you mean '{}'?", *nearest)
                        : fmt::format("parameters are {}", fmt::join(names, ", ")));
  }
  Point point(parameters_.size(), kAbsent);
  for (const Index number : order_) {
    const Parameter& parameter = at(number);
    const auto found = values.find(parameter.name);
    const bool is_active = active(number, point);
    if (is_active && found == values.end()) refuse(number, "value", "its value is missing");
    if (!is_active && found != values.end())
      refuse(number, "value", "it has a value but is not active",
             fmt::format("it is active only when {} says so", parameter.when.parent));
    if (is_active) point[static_cast<std::size_t>(number)] = entry_of(number, *found);
  }
  return point;
}

std::optional<Point> Space::adopt(const json& values, Index& culprit) const {
  Point point(parameters_.size(), kAbsent);
  for (const Index number : order_) {
    if (!active(number, point)) continue;
    const Parameter& parameter = at(number);
    double& entry = point[static_cast<std::size_t>(number)];
    const auto found = values.find(parameter.name);
    try {
      if (found != values.end()) entry = entry_of(number, *found);
    } catch (const Error&) {
      culprit = number;
      return std::nullopt;
    }
    if (found != values.end()) continue;
    if (!parameter.initial.is_null()) entry = entry_of(number, parameter.initial);
    entry = repaired(point)[static_cast<std::size_t>(number)];
  }
  return point;
}

std::optional<Point> Space::initial_point() const {
  Point point(parameters_.size(), kAbsent);
  bool any = false;
  for (Index i = 0; i < size(); ++i) {
    if (at(i).initial.is_null()) continue;
    any = true;
    point[static_cast<std::size_t>(i)] = entry_of(i, at(i).initial);
  }
  if (!any) return std::nullopt;
  return repaired(std::move(point));
}

}  // namespace tempera
