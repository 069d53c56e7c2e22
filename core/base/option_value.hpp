#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

namespace tempera {

enum class OptionKind { flag, integer, real, text, path, choice, texts, integers, duration };

/// A value of any option. monostate stands for an optional one that is absent ("auto", "none"); paths and choices are
/// text; durations are seconds.
using OptionValue = std::variant<std::monostate, bool, std::int64_t, double, std::string, std::vector<std::string>,
                                 std::vector<std::int64_t>>;

/// Bounds of a number (of each number of a list); infinite where there is none.
struct OptionRange {
  double minimum = -std::numeric_limits<double>::infinity();
  double maximum = std::numeric_limits<double>::infinity();
  bool minimum_excluded = false;
  bool maximum_excluded = false;

  bool contains(double value) const;
  /// "at least 1", "above 0 and below 1", "from 1s to 64s", "" without bounds; `suffix` follows each number.
  std::string text(std::string_view suffix = {}) const;
};

/// What people are told a value must be: "a whole number", "a duration such as 60s, 30m or 2h".
std::string kind_text(OptionKind kind);

/// Reads a value as written on a command line; the whole text must be used.
/// @throws std::invalid_argument with "'abc' is not a whole number" and the like
OptionValue parse_option_value(OptionKind kind, std::string_view text);

/// The value as a person would write it; parse_option_value reads it back.
std::string format_option_value(OptionKind kind, const OptionValue& value);

namespace detail {

template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};

/// The alternative of OptionValue that holds a T.
template <class T>
using Stored = std::conditional_t<std::is_same_v<T, int>, std::int64_t,
                                  std::conditional_t<std::is_same_v<T, std::filesystem::path>, std::string, T>>;

template <class T>
OptionValue to_option_value(const T& variable) {
  if constexpr (IsOptional<T>::value) {
    return variable ? to_option_value(*variable) : OptionValue();
  } else if constexpr (std::is_same_v<T, std::filesystem::path>) {
    return variable.string();
  } else {
    return static_cast<Stored<T>>(variable);
  }
}

template <class T>
void from_option_value(const OptionValue& value, T& variable) {
  if constexpr (IsOptional<T>::value) {
    if (std::holds_alternative<std::monostate>(value)) {
      variable.reset();
    } else {
      from_option_value(value, variable.emplace());
    }
  } else {
    variable = static_cast<T>(std::get<Stored<T>>(value));
  }
}

}  // namespace detail
}  // namespace tempera
