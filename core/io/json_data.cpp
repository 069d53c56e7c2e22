#include "core/io/json_data.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <type_traits>

#include "core/base/contract.hpp"
#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/io/detail/byte_source.hpp"
#include "core/io/detail/json_text.hpp"
#include "core/io/input_file.hpp"

namespace tempera {

namespace {

using Json = nlohmann::ordered_json;

/// "null", "true", "a string", "2.5": what a person sees in the file.
std::string kind_of(const Json& value) {
  if (value.is_null()) return "null";
  if (value.is_boolean()) return value.get<bool>() ? "true" : "false";
  if (value.is_string()) return "a string";
  if (value.is_object()) return "an object";
  if (value.is_array()) return fmt::format("an array of {}", value.size());
  return value.dump();
}

/// How to mend a value that is no number.
std::string mend(const Json& value, const std::string& otherwise) {
  if (value.is_null()) return "a missing value cannot be left open: leave out what belongs to it";
  if (value.is_string()) return "write numbers without quotes";
  if (value.is_boolean()) return "write 1 or 0";
  return otherwise;
}

template <class T>
constexpr const char* kNumber = std::is_same_v<T, double> ? "number" : "whole number";

template <class T>
std::string numbers_text(Index count) {
  return fmt::format("{} {}{}", count, kNumber<T>, count == 1 ? "" : "s");
}

/// The number of a type, if the value is one: 8.0 is a whole number, 2.5 and 1e300 are not.
template <class T>
std::optional<T> as_number(const Json& value) {
  constexpr double kLargest = 9007199254740992.0;  // 2^53: from here on neighbours are not told apart
  if (!value.is_number()) return std::nullopt;
  const double number = value.get<double>();
  if constexpr (std::is_same_v<T, double>) {
    return number;
  } else {
    if (std::abs(number) > kLargest || number != std::floor(number)) return std::nullopt;
    return static_cast<T>(number);
  }
}

std::string lower_case(std::string text) {
  for (char& letter : text) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  return text;
}

/// The candidate a person most likely meant; unlike nearest_name alone, none that has no letter in common.
std::optional<std::string> likely_name(const std::string& name, const std::vector<std::string>& candidates) {
  std::vector<std::string> similar;
  for (const std::string& candidate : candidates) {
    if (lower_case(candidate) == lower_case(name)) return candidate;
    if (edit_distance(candidate, name) < static_cast<int>(std::min(candidate.size(), name.size())))
      similar.push_back(candidate);
  }
  return nearest_name(name, similar);
}

}  // namespace

JsonData JsonData::read(const std::filesystem::path& path, std::string form) {
  std::string text(static_cast<std::size_t>(check_input_file(path)), '\0');
  text.resize(detail::PositionedFile(path).read_at(0, text));
  return JsonData(text, path.string(), std::move(form));
}

JsonData::JsonData(const std::string& text, std::string origin, std::string form)
    : root_(std::make_shared<Json>(detail::parse_json(text, origin, form))),
      origin_(std::move(origin)),
      form_(std::move(form)) {
  if (!root_->is_object())
    throw Error(Category::input, origin_, fmt::format("expected an object with fields, found {}", kind_of(*root_)),
                form_);
}

void JsonData::fail(const std::string& name, const std::string& what, const std::string& hint) const {
  throw Error(Category::input, origin_, fmt::format("field '{}': {}", name, what), hint);
}

bool JsonData::has(const std::string& name) const {
  return root_->contains(name);
}

void JsonData::refuse_missing(const std::string& name) const {
  const auto nearest = likely_name(name, unused());
  throw Error(Category::input, origin_, fmt::format("field '{}' is missing", name),
              nearest ? fmt::format("the file has '{}': is that '{}'?", *nearest, name) : form_);
}

const Json& JsonData::field(const std::string& name) {
  asked_.insert(name);
  const auto found = root_->find(name);
  if (found == root_->end()) refuse_missing(name);
  return *found;
}

/// @param place  "" for a scalar, else "row 2 of 8: entry 1 of 3"
template <class T>
T JsonData::number(const std::string& name, const Json& value, const OptionRange& range,
                   const std::string& place) const {
  const std::optional<T> number = as_number<T>(value);
  if (!number)
    fail(name,
         place.empty() ? fmt::format("expected a {}, found {}", kNumber<T>, kind_of(value))
                       : fmt::format("{} is {}, not a {}", place, kind_of(value), kNumber<T>),
         mend(value, form_));
  if (!range.contains(static_cast<double>(*number)))
    fail(name,
         place.empty() ? fmt::format("{} is out of range: {} expected", value.dump(), range.text())
                       : fmt::format("{} is {}: {} expected", place, value.dump(), range.text()),
         form_);
  return *number;
}

/// @param shape  of `value`, not empty
/// @param place  "" for the whole field, else "row 2 of 8"
template <class T>
void JsonData::append(const std::string& name, const Json& value, std::span<const Index> shape,
                      const OptionRange& range, const std::string& place, std::vector<T>& entries) const {
  const bool last = shape.size() == 1;
  const std::string inside = last ? numbers_text<T>(shape[0]) : fmt::format("{} rows", shape[0]);
  if (!value.is_array())
    fail(name,
         place.empty() ? fmt::format("expected an array of {}, found {}{}", inside,
                                     value.is_number() ? "the number " : "", kind_of(value))
                       : fmt::format("{} is {}, not an array of {}", place, kind_of(value), inside),
         mend(value, form_));
  const auto count = static_cast<Index>(value.size());
  if (count != shape[0])
    fail(name,
         place.empty() ? fmt::format("expected an array of {}, found {}", inside, count)
                       : fmt::format("{} has {} {}, not {}", place, count, last ? "entries" : "rows", shape[0]),
         form_);
  const std::string before = place.empty() ? "" : place + ": ";
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (last && value[i].is_number()) {  // the usual case needs no text
      const std::optional<T> number = as_number<T>(value[i]);
      if (number && range.contains(static_cast<double>(*number))) {
        entries.push_back(*number);
        continue;
      }
    }
    const std::string here = fmt::format("{}{} {} of {}", before, last ? "entry" : "row", i + 1, count);
    if (last)
      entries.push_back(this->number<T>(name, value[i], range, here));
    else
      append(name, value[i], shape.subspan(1), range, here, entries);
  }
}

template <class T>
std::vector<T> JsonData::array(const std::string& name, std::span<const Index> shape, const OptionRange& range) {
  TEMPERA_EXPECTS(!shape.empty());
  std::vector<T> entries;
  append(name, field(name), shape, range, "", entries);
  return entries;
}

Index JsonData::integer(const std::string& name, const OptionRange& range) {
  return number<Index>(name, field(name), range, "");
}

double JsonData::real(const std::string& name, const OptionRange& range) {
  return number<double>(name, field(name), range, "");
}

std::vector<Index> JsonData::integers(const std::string& name, std::initializer_list<Index> shape,
                                      const OptionRange& range) {
  return array<Index>(name, {shape.begin(), shape.size()}, range);
}

std::vector<double> JsonData::numbers(const std::string& name, std::initializer_list<Index> shape,
                                      const OptionRange& range) {
  return array<double>(name, {shape.begin(), shape.size()}, range);
}

Index JsonData::length(const std::string& name, int mode) {
  TEMPERA_EXPECTS(mode == 0 || mode == 1);
  const Json& value = field(name);
  if (!value.is_array()) fail(name, fmt::format("expected an array, found {}", kind_of(value)), mend(value, form_));
  if (mode == 0 || value.empty()) return mode == 0 ? static_cast<Index>(value.size()) : 0;
  if (!value[0].is_array())
    fail(name, fmt::format("row 1 of {} is {}, not an array", value.size(), kind_of(value[0])), mend(value[0], form_));
  return static_cast<Index>(value[0].size());
}

Index JsonData::size(const std::string& name, const std::string& array, int mode) {
  if (has(name)) return integer(name, {.minimum = 1});
  asked_.insert(name);
  const Index found = length(array, mode);
  if (found < 1) fail(array, fmt::format("{} without entries", mode == 0 ? "an array" : "rows"), form_);
  return found;
}

std::vector<std::string> JsonData::unused() const {
  std::vector<std::string> names;
  for (const auto& item : root_->items())
    if (!asked_.contains(item.key())) names.push_back(item.key());
  return names;
}

void JsonData::refuse_unused() const {
  const std::vector<std::string> names = unused();
  if (names.empty()) return;
  std::vector<std::string> absent;
  for (const std::string& name : asked_)
    if (!has(name)) absent.push_back(name);
  auto nearest = likely_name(names.front(), absent);
  if (!nearest) nearest = likely_name(names.front(), {asked_.begin(), asked_.end()});
  throw Error(Category::input, origin_, fmt::format("unknown field '{}'", names.front()),
              nearest ? fmt::format("did you mean '{}'?", *nearest) : form_);
}

}  // namespace tempera
