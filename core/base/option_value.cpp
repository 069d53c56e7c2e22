#include "core/base/option_value.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <cmath>
#include <stdexcept>

namespace tempera {

namespace {

[[noreturn]] void refuse(std::string_view text, OptionKind kind) {
  throw std::invalid_argument(fmt::format("'{}' is not {}", text, kind_text(kind)));
}

/// Reads a number from the front of `text` and removes it; false if there is none or it does not fit.
template <class Number>
bool take_number(std::string_view& text, Number& number) {
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (status != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

std::int64_t parse_integer(std::string_view text) {
  std::string_view rest = text;
  std::int64_t number = 0;
  if (!take_number(rest, number) || !rest.empty()) refuse(text, OptionKind::integer);
  return number;
}

double parse_real(std::string_view text) {
  std::string_view rest = text;
  double number = 0;
  if (!take_number(rest, number) || !rest.empty() || !std::isfinite(number)) refuse(text, OptionKind::real);
  return number;
}

bool parse_flag(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  refuse(text, OptionKind::flag);
}

std::vector<std::int64_t> parse_integers(std::string_view text) {
  std::vector<std::int64_t> numbers;
  std::string_view rest = text;
  for (;;) {
    std::int64_t number = 0;
    if (!take_number(rest, number)) refuse(text, OptionKind::integers);
    numbers.push_back(number);
    if (rest.empty()) return numbers;
    if (rest.front() != ',') refuse(text, OptionKind::integers);
    rest.remove_prefix(1);
  }
}

/// Seconds in the unit at the front of `text`, which is removed; 0 if there is none.
double take_unit(std::string_view& text) {
  constexpr std::pair<std::string_view, double> kUnits[] = {{"ms", 1e-3}, {"s", 1},    {"min", 60},
                                                            {"m", 60},    {"h", 3600}, {"d", 86400}};
  for (const auto& [name, seconds] : kUnits) {
    if (!text.starts_with(name)) continue;
    text.remove_prefix(name.size());
    return seconds;
  }
  return 0;
}

double parse_duration(std::string_view text) {
  double total = 0;
  std::string_view rest = text;
  do {
    double number = 0;
    if (!take_number(rest, number) || !std::isfinite(number) || number < 0) refuse(text, OptionKind::duration);
    const double unit = take_unit(rest);
    if (unit <= 0) refuse(text, OptionKind::duration);
    total += number * unit;
  } while (!rest.empty());
  return total;
}

}  // namespace

bool OptionRange::contains(double value) const {
  return (minimum_excluded ? value > minimum : value >= minimum) &&
         (maximum_excluded ? value < maximum : value <= maximum);
}

std::string OptionRange::text(std::string_view suffix) const {
  const bool low = std::isfinite(minimum);
  const bool high = std::isfinite(maximum);
  if (low && high && !minimum_excluded && !maximum_excluded)
    return fmt::format("from {}{} to {}{}", minimum, suffix, maximum, suffix);
  std::string result;
  if (low) result = fmt::format("{} {}{}", minimum_excluded ? "above" : "at least", minimum, suffix);
  if (low && high) result += " and ";
  if (high) result += fmt::format("{} {}{}", maximum_excluded ? "below" : "at most", maximum, suffix);
  return result;
}

std::string kind_text(OptionKind kind) {
  switch (kind) {
    case OptionKind::flag: return "true or false";
    case OptionKind::integer: return "a whole number";
    case OptionKind::real: return "a number";
    case OptionKind::text:
    case OptionKind::choice: return "text";
    case OptionKind::path: return "a path";
    case OptionKind::texts: return "a list of texts";
    case OptionKind::integers: return "a list of whole numbers such as 10,20,30";
    case OptionKind::duration: return "a duration such as 60s, 30m or 2h";
  }
  return {};
}

OptionValue parse_option_value(OptionKind kind, std::string_view text) {
  switch (kind) {
    case OptionKind::flag: return parse_flag(text);
    case OptionKind::integer: return parse_integer(text);
    case OptionKind::real: return parse_real(text);
    case OptionKind::integers: return parse_integers(text);
    case OptionKind::duration: return parse_duration(text);
    case OptionKind::texts: return std::vector<std::string>{std::string(text)};
    case OptionKind::text:
    case OptionKind::path:
    case OptionKind::choice: break;
  }
  return std::string(text);
}

std::string format_option_value(OptionKind kind, const OptionValue& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return fmt::format("{}", *integer);
  if (const auto* real = std::get_if<double>(&value))
    return fmt::format("{}{}", *real, kind == OptionKind::duration ? "s" : "");
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* texts = std::get_if<std::vector<std::string>>(&value))
    return fmt::format("{}", fmt::join(*texts, " "));
  if (const auto* integers = std::get_if<std::vector<std::int64_t>>(&value))
    return fmt::format("{}", fmt::join(*integers, ","));
  return {};
}

}  // namespace tempera
