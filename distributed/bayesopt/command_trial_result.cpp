#include "distributed/bayesopt/command_trial_result.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>

#include "core/base/text.hpp"

namespace tempera {

namespace {

using nlohmann::json;

constexpr std::string_view kBlanks = " \t\r\n\v\f";

/// What makes a result invalid.
struct Refusal {
  std::string reason;
};

double finite_number(const json& value, const std::string& name) {
  if (!value.is_number())
    throw Refusal{fmt::format("{} is {}, not a number", name,
                              excerpt(value.dump(-1, ' ', false, json::error_handler_t::replace)))};
  const double number = value.get<double>();
  if (!std::isfinite(number)) throw Refusal{name + " is not finite"};
  return number;
}

void refuse_misspelt(const json& object) {
  const std::vector<std::string> known = {"value", "values", "cost", "constraints", "status", "reason"};
  for (const auto& [key, unused] : object.items()) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    const auto nearest = nearest_name(key, known);
    if (nearest && !object.contains(*nearest))
      throw Refusal{fmt::format("unknown key '{}': did you mean '{}'?", excerpt(key), *nearest)};
  }
}

/// Of programs that leave out a zero, as bc does, or write a sign: ".5", "5.", "+5"; finite.
std::optional<double> plain_number(std::string_view line) {
  if (line.starts_with('+') && !line.starts_with("+-")) line.remove_prefix(1);
  double number = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), number);
  if (error != std::errc() || end != line.data() + line.size() || !std::isfinite(number)) return std::nullopt;
  return number;
}

const json& value_in(const json& object, const ResultRules& rules) {
  const auto value = object.find("value");
  const auto values = object.find("values");
  if (values != object.end()) {
    if (value != object.end()) throw Refusal{"both 'value' and 'values' are there"};
    if (!values->is_object() || !values->contains(rules.objective))
      throw Refusal{fmt::format("'values' has no '{}'", rules.objective)};
    return values->at(rules.objective);
  }
  if (value == object.end()) throw Refusal{"'value' is missing"};
  return *value;
}

void read_constraints(const json& object, const ResultRules& rules, TrialResult& result) {
  const auto reported = object.find("constraints");
  if (reported != object.end()) {
    if (!reported->is_object()) throw Refusal{"'constraints' is not an object"};
    for (const auto& [name, value] : reported->items()) {
      if (std::find(rules.constraints.begin(), rules.constraints.end(), name) == rules.constraints.end())
        throw Refusal{fmt::format("constraint '{}' is not one of the space", excerpt(name))};
      result.constraints[name] = finite_number(value, fmt::format("constraint '{}'", excerpt(name)));
    }
  }
  for (const std::string& name : rules.constraints)
    if (!result.constraints.contains(name)) throw Refusal{fmt::format("constraint '{}' is missing", name)};
}

/// "failed" and its reason, or nothing for "ok".
std::optional<std::string> failure_in(const json& object) {
  const auto status = object.find("status");
  if (status == object.end() || *status == "ok") return std::nullopt;
  if (*status != "failed")
    throw Refusal{fmt::format("status {} is neither \"ok\" nor \"failed\"",
                              excerpt(status->dump(-1, ' ', false, json::error_handler_t::replace)))};
  const auto reason = object.find("reason");
  return reason != object.end() && reason->is_string() ? excerpt(reason->get<std::string>()) : "reported by the trial";
}

TrialResult read_object(const json& object, const ResultRules& rules) {
  TrialResult result;
  refuse_misspelt(object);
  if (const auto cost = object.find("cost"); cost != object.end() && !cost->is_null()) {
    result.cost = finite_number(*cost, "cost");
    if (result.cost < 0) throw Refusal{"cost is negative"};
  }
  if (auto failure = failure_in(object)) {
    result.status = TrialStatus::failed;
    result.reason = std::move(*failure);
    return result;
  }
  result.value = finite_number(value_in(object, rules), "value");
  read_constraints(object, rules, result);
  return result;
}

}  // namespace

std::string_view last_line(std::string_view text) {
  const std::size_t end = text.find_last_not_of(kBlanks);
  if (end == std::string_view::npos) return {};
  text = text.substr(0, end + 1);
  const std::size_t before = text.find_last_of('\n');
  if (before != std::string_view::npos) text.remove_prefix(before + 1);
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  return text;
}

std::string excerpt(std::string_view text) {
  constexpr std::size_t kLongest = 200;
  std::size_t length = std::min(text.size(), kLongest);
  while (length < text.size() && length > 0 && (text[length] & 0xC0) == 0x80) --length;  // not within a character
  const std::string shown = std::string(text.substr(0, length)) + (length < text.size() ? " …" : "");
  return json::parse(json(shown).dump(-1, ' ', false, json::error_handler_t::replace)).get<std::string>();
}

TrialResult read_result(std::string_view line, const ResultRules& rules) {
  TrialResult result;
  try {
    if (line.empty()) throw Refusal{"there is no result on standard output"};
    const json parsed = json::parse(line, nullptr, false);
    if (parsed.is_object()) {
      result = read_object(parsed, rules);
    } else if (const auto number = plain_number(line)) {
      result.value = *number;
      read_constraints(json::object(), rules, result);
    } else {
      throw Refusal{fmt::format("'{}' is no result: one number or one JSON object expected", excerpt(line))};
    }
    if (rules.maximise) result.value = -result.value;
  } catch (const Refusal& refusal) {
    result = {};
    result.status = TrialStatus::invalid;
    result.reason = refusal.reason;
  }
  return result;
}

}  // namespace tempera
