#include "core/base/option_schema.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <climits>
#include <stdexcept>

#include "core/base/contract.hpp"

namespace tempera {

namespace {

std::string default_metavar(OptionKind kind) {
  switch (kind) {
    case OptionKind::flag: return "";
    case OptionKind::integer: return "N";
    case OptionKind::real: return "X";
    case OptionKind::text:
    case OptionKind::texts: return "TEXT";
    case OptionKind::path: return "PATH";
    case OptionKind::choice: return "NAME";
    case OptionKind::integers: return "N,N,...";
    case OptionKind::duration: return "TIME";
  }
  return "";
}

}  // namespace

Option& Option::metavar(std::string text) {
  metavar_ = std::move(text);
  return *this;
}
Option& Option::unit(std::string text) {
  unit_ = std::move(text);
  return *this;
}
Option& Option::help(std::string text) {
  help_ = std::move(text);
  return *this;
}
Option& Option::minimum(double value) {
  range_.minimum = value;
  range_.minimum_excluded = false;
  return *this;
}
Option& Option::above(double value) {
  range_.minimum = value;
  range_.minimum_excluded = true;
  return *this;
}
Option& Option::maximum(double value) {
  range_.maximum = value;
  range_.maximum_excluded = false;
  return *this;
}
Option& Option::below(double value) {
  range_.maximum = value;
  range_.maximum_excluded = true;
  return *this;
}
Option& Option::absent(std::string word) {
  absent_ = std::move(word);
  return *this;
}
Option& Option::default_text(std::string text) {
  default_text_ = std::move(text);
  return *this;
}
Option& Option::required() {
  required_ = true;
  return *this;
}
Option& Option::proposals(std::vector<std::string> words) {
  proposals_ = std::move(words);
  return *this;
}
Option& Option::names(PathKind kind) {
  path_kind_ = kind;
  return *this;
}

std::vector<std::string> Option::known_words() const {
  std::vector<std::string> words = choices_;
  words.insert(words.end(), proposals_.begin(), proposals_.end());
  const bool is_word = !absent_.empty() && absent_.find(' ') == std::string::npos;
  if (is_word && std::find(words.begin(), words.end(), absent_) == words.end()) words.push_back(absent_);
  return words;
}

std::string Option::display_name() const {
  return positional_ ? metavar_ : fmt::format("--{}", name_);
}

OptionValue Option::parse(std::string_view text) const {
  if (absent_.empty()) return parse_option_value(kind_, text);
  if (text == absent_) return OptionValue();
  try {
    return parse_option_value(kind_, text);
  } catch (const std::invalid_argument& problem) {
    throw std::invalid_argument(fmt::format("{} or '{}'", problem.what(), absent_));
  }
}

void Option::check_number(double number, const std::string& shown) const {
  if (!range_.contains(number))
    throw std::invalid_argument(fmt::format("{} is out of range: {} expected", shown, range_text()));
  if (narrow_ && (number < INT_MIN || number > INT_MAX)) throw std::invalid_argument(shown + " is too large a number");
}

void Option::check(const OptionValue& value) const {
  if (const auto* integer = std::get_if<std::int64_t>(&value))
    check_number(static_cast<double>(*integer), fmt::format("{}", *integer));
  if (const auto* real = std::get_if<double>(&value)) check_number(*real, format_option_value(kind_, value));
  if (const auto* integers = std::get_if<std::vector<std::int64_t>>(&value))
    for (const std::int64_t integer : *integers) check_number(static_cast<double>(integer), fmt::format("{}", integer));
  const auto* text = std::get_if<std::string>(&value);
  if (text == nullptr || choices_.empty()) return;
  if (std::find(choices_.begin(), choices_.end(), *text) == choices_.end())
    throw std::invalid_argument(fmt::format("'{}' is not one of {}", *text, fmt::join(choices_, ", ")));
}

void Option::assign(const OptionValue& value, std::string set_by) {
  check(value);
  store_(value);
  set_by_ = std::move(set_by);
}

OptionSchema::OptionSchema(std::string command, std::string summary)
    : command_(std::move(command)), summary_(std::move(summary)) {}

Option* OptionSchema::find(std::string_view name) {
  const auto found = std::find_if(options_.begin(), options_.end(), [&](const Option& o) { return o.name() == name; });
  return found == options_.end() ? nullptr : &*found;
}

const Option* OptionSchema::find(std::string_view name) const {
  return const_cast<OptionSchema*>(this)->find(name);
}

std::string OptionSchema::where(std::string_view name) const {
  const Option* option = find(name);
  TEMPERA_EXPECTS(option != nullptr);
  const bool in_file = !option->set_by().empty() && option->set_by() != "command line";
  return in_file ? option->set_by() + ": " + option->name() : option->display_name();
}

Option& OptionSchema::add(std::string name, OptionKind kind, OptionValue initial,
                          std::function<void(const OptionValue&)> store, std::function<OptionValue()> load) {
  TEMPERA_EXPECTS(find(name) == nullptr);
  options_.push_back(Option());
  Option& option = options_.back();
  option.name_ = std::move(name);
  option.kind_ = kind;
  option.group_ = group_;
  option.metavar_ = default_metavar(kind);
  option.path_kind_ = kind == OptionKind::path ? PathKind::file : PathKind::none;
  option.default_ = std::move(initial);
  option.store_ = std::move(store);
  option.load_ = std::move(load);
  return option;
}

void OptionSchema::make_positional(Option& option) {
  option.positional_ = true;
  option.metavar_ = option.name_;
  std::transform(option.metavar_.begin(), option.metavar_.end(), option.metavar_.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::toupper(letter)); });
}

}  // namespace tempera
