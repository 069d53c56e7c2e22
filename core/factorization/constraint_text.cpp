#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>

#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/factorization/constraint.hpp"

namespace tempera {

namespace {

constexpr const char* kOption = "--constraint";

/// A name people write, what it takes, and what it sets.
struct Name {
  const char* name;
  const char* example;
  std::size_t parameters;
  void (*set)(Constraint&, std::span<const double>);
  bool (*is_set)(const Constraint&);
};

using Numbers = std::span<const double>;
using Shape = Constraint::Shape;
using Simplex = Constraint::Simplex;

constexpr std::array kNames{
    Name{"nonnegative", "nonnegative", 0, [](Constraint& c, Numbers) { c.lower = std::max(c.lower, 0.0); },
         [](const Constraint& c) { return c.lower == 0 && !c.upper_bounded(); }},
    Name{"l1", "l1:0.1", 1, [](Constraint& c, Numbers p) { c.l1 = p[0]; },
         [](const Constraint& c) { return c.l1 > 0; }},
    Name{"ridge", "ridge:0.1", 1, [](Constraint& c, Numbers p) { c.ridge = p[0]; },
         [](const Constraint& c) { return c.ridge > 0; }},
    Name{"smooth", "smooth:10", 1, [](Constraint& c, Numbers p) { c.smooth = p[0]; },
         [](const Constraint& c) { return c.smooth > 0; }},
    Name{"row-simplex", "row-simplex", 0, [](Constraint& c, Numbers) { c.simplex = Simplex::rows; },
         [](const Constraint& c) { return c.simplex == Simplex::rows; }},
    Name{"column-simplex", "column-simplex", 0, [](Constraint& c, Numbers) { c.simplex = Simplex::columns; },
         [](const Constraint& c) { return c.simplex == Simplex::columns; }},
    Name{"orthogonal", "orthogonal", 0, [](Constraint& c, Numbers) { c.orthogonal = true; },
         [](const Constraint& c) { return c.orthogonal; }},
    Name{"unimodal", "unimodal", 0, [](Constraint& c, Numbers) { c.shape = Shape::unimodal; },
         [](const Constraint& c) { return c.shape == Shape::unimodal; }},
    Name{"monotone", "monotone", 0, [](Constraint& c, Numbers) { c.shape = Shape::monotone; },
         [](const Constraint& c) { return c.shape == Shape::monotone; }},
    Name{"box", "box:0,1", 2, [](Constraint& c, Numbers p) { c.lower = p[0], c.upper = p[1]; },
         [](const Constraint& c) { return c.has_box(); }},
    Name{"norm", "norm", 0, [](Constraint& c, Numbers) { c.norm_bounded = true; },
         [](const Constraint& c) { return c.norm_bounded; }},
};

/// The whole text as a number, or nothing.
template <class T>
std::optional<T> number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Error refusal(const std::string& what, const std::string& hint = "") {
  return Error(Category::usage, kOption, what, hint);
}

const Name& find_name(const std::string& name) {
  std::vector<std::string> known;
  for (const Name& candidate : kNames) {
    if (candidate.name == name) return candidate;
    known.push_back(candidate.name);
  }
  const auto nearest = nearest_name(name, known);
  throw refusal(fmt::format("unknown constraint '{}'", name),
                nearest ? fmt::format("did you mean '{}'?", *nearest)
                        : fmt::format("known constraints: {}", fmt::join(known, ", ")));
}

struct Parsed {
  const Name* name;
  std::vector<double> parameters;
  std::vector<int> modes;
};

Parsed parse(const std::string& text) {
  const std::size_t at = text.find('@');
  const std::string_view head = std::string_view(text).substr(0, at);
  const std::size_t colon = head.find(':');
  Parsed parsed{&find_name(std::string(head.substr(0, colon))), {}, {}};
  const std::string example = fmt::format("write it like {}", parsed.name->example);
  if (colon != std::string_view::npos)
    for (const std::string_view part : split(head.substr(colon + 1), ',')) {
      const auto value = number<double>(part);
      if (!value || !std::isfinite(*value))
        throw refusal(fmt::format("'{}' is not a number in '{}'", part, text), example);
      parsed.parameters.push_back(*value);
    }
  if (parsed.parameters.size() != parsed.name->parameters)
    throw refusal(fmt::format("'{}' has {} parameter{} and takes {}", text, parsed.parameters.size(),
                              parsed.parameters.size() == 1 ? "" : "s", parsed.name->parameters),
                  example);
  if (parsed.parameters.size() == 1 && parsed.parameters[0] < 0)
    throw refusal(fmt::format("the weight of a penalty is negative in '{}'", text), "it is at least 0");
  if (parsed.parameters.size() == 2 && parsed.parameters[0] > parsed.parameters[1])
    throw refusal(fmt::format("the box of '{}' is empty", text), "the lower bound comes first: box:0,1");
  if (at != std::string::npos)
    for (const std::string_view part : split(std::string_view(text).substr(at + 1), ',')) {
      const auto mode = number<int>(part);
      if (!mode || *mode < 0)
        throw refusal(fmt::format("'{}' is not a mode in '{}'", part, text),
                      "modes are numbered from 0: nonnegative@0,2");
      parsed.modes.push_back(*mode);
    }
  return parsed;
}

/// Adds one text to what is known of a mode. Nonnegative narrows a box and the other way round, in either order.
void combine(Constraint& constraint, const Parsed& parsed, const std::string& text, int mode) {
  if (parsed.name->parameters > 0 && parsed.name->is_set(constraint))
    throw refusal(fmt::format("'{}' is the second {} of mode {}", text, parsed.name->name, mode),
                  "give it once a mode");
  const Constraint before = constraint;
  const bool other_shape = before.shape != Shape::any, other_simplex = before.simplex != Simplex::none;
  parsed.name->set(constraint, parsed.parameters);
  constraint.lower = std::max(constraint.lower, before.lower);
  if ((other_shape && constraint.shape != before.shape) || (other_simplex && constraint.simplex != before.simplex))
    throw refusal(fmt::format("'{}' and '{}' in mode {} exclude each other", to_text(before), text, mode),
                  "choose one of them");
}

}  // namespace

std::vector<std::string> constraint_examples() {
  std::vector<std::string> examples;
  for (const Name& name : kNames) examples.emplace_back(name.example);
  return examples;
}

ConstraintText parse_constraint(const std::string& text) {
  const Parsed parsed = parse(text);
  ConstraintText result{Constraint(), parsed.modes};
  parsed.name->set(result.constraint, parsed.parameters);
  return result;
}

std::vector<Constraint> parse_constraints(std::span<const std::string> texts, int order) {
  std::vector<Constraint> result(static_cast<std::size_t>(order));
  for (const std::string& text : texts) {
    const Parsed parsed = parse(text);
    for (int mode = 0; parsed.modes.empty() && mode < order; ++mode)
      combine(result[static_cast<std::size_t>(mode)], parsed, text, mode);
    for (const int mode : parsed.modes) {
      if (mode >= order)
        throw refusal(fmt::format("mode {} in '{}' of a tensor of order {}", mode, text, order),
                      fmt::format("modes are numbered from 0 to {}", order - 1));
      combine(result[static_cast<std::size_t>(mode)], parsed, text, mode);
    }
  }
  for (int mode = 0; mode < order; ++mode)
    if (const auto reason = contradiction(result[static_cast<std::size_t>(mode)]))
      throw refusal(fmt::format("'{}' in mode {}: {}", to_text(result[static_cast<std::size_t>(mode)]), mode, *reason),
                    "modes can have different constraints: nonnegative@0,2");
  return result;
}

std::string to_text(const Constraint& constraint) {
  std::vector<std::string> parts;
  for (const Name& name : kNames) {
    if (!name.is_set(constraint)) continue;
    std::string text = name.name;
    if (text == "l1") text += fmt::format(":{}", constraint.l1);
    if (text == "ridge") text += fmt::format(":{}", constraint.ridge);
    if (text == "smooth") text += fmt::format(":{}", constraint.smooth);
    if (text == "box") text += fmt::format(":{},{}", constraint.lower, constraint.upper);
    parts.push_back(text);
  }
  return parts.empty() ? "unconstrained" : fmt::format("{}", fmt::join(parts, " "));
}

}  // namespace tempera
