#include "core/base/option_toml.hpp"

#include <fmt/format.h>

#include <cmath>
#include <stdexcept>

#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/base/toml_document.hpp"

namespace tempera {

namespace {

using Json = nlohmann::ordered_json;

[[noreturn]] void wrong_type(const Option& option, const Json& value) {
  throw std::invalid_argument(fmt::format("{} expected, not {}", kind_text(option.kind()), toml_kind(value)));
}

template <class T>
std::vector<T> array_of(const Option& option, const Json& array, bool (Json::*is_one)() const noexcept) {
  std::vector<T> values;
  for (const Json& item : array) {
    if (!(item.*is_one)()) wrong_type(option, item);
    values.push_back(item.get<T>());
  }
  return values;
}

OptionValue value_from(const Option& option, const Json& value, bool written) {
  if (value.is_string()) {
    const auto text = value.get<std::string>();
    const bool is_number = option.kind() == OptionKind::integer || option.kind() == OptionKind::real;
    const bool is_absent = !option.absent_word().empty() && text == option.absent_word();
    if (!written && (option.kind() == OptionKind::flag || (is_number && !is_absent))) wrong_type(option, value);
    return option.parse(text);
  }
  if (value.is_array()) {
    if (option.kind() == OptionKind::texts) return array_of<std::string>(option, value, &Json::is_string);
    if (option.kind() == OptionKind::integers) return array_of<std::int64_t>(option, value, &Json::is_number_integer);
  }
  if (value.is_boolean() && option.kind() == OptionKind::flag) return value.get<bool>();
  if (value.is_number_integer()) {
    if (option.kind() == OptionKind::integer) return value.get<std::int64_t>();
    if (option.kind() == OptionKind::integers) return std::vector<std::int64_t>{value.get<std::int64_t>()};
    if (option.kind() == OptionKind::real) return value.get<double>();
  }
  if (value.is_number_float() && option.kind() == OptionKind::real) {
    const auto real = value.get<double>();
    if (!std::isfinite(real)) throw std::invalid_argument(fmt::format("'{}' is not a number", real));
    return real;
  }
  wrong_type(option, value);
}

[[noreturn]] void refuse_unknown(const OptionSchema& schema, const std::string& where, std::string_view key) {
  std::vector<std::string> names;
  for (const Option& option : schema.options())
    if (!option.is_config_file()) names.push_back(option.name());
  const auto nearest = nearest_name(key, names);
  throw Error(Category::usage, where, fmt::format("unknown key '{}'", key),
              nearest ? fmt::format("did you mean '{}'?", *nearest)
                      : fmt::format("keys are the long options of 'tempera {} --help'", schema.command()));
}

}  // namespace

void apply_entries(OptionSchema& schema, std::span<const OptionEntry> entries) {
  for (const OptionEntry& entry : entries) {
    Option* option = schema.find(entry.key);
    if (option == nullptr || option->is_config_file()) refuse_unknown(schema, entry.where, entry.key);
    try {
      const OptionValue value = value_from(*option, entry.value, entry.written);
      option->check(value);
      if (option->set_by() != "command line") option->assign(value, entry.where);
    } catch (const std::invalid_argument& problem) {
      throw Error(Category::usage, entry.where, fmt::format("{}: {}", option->name(), problem.what()),
                  fmt::format("see 'tempera {} --help'", schema.command()));
    }
  }
}

void apply_toml(OptionSchema& schema, const std::filesystem::path& file) {
  std::vector<OptionEntry> entries;
  for (TomlEntry& entry : read_toml(file).entries)
    entries.push_back({std::move(entry.key), std::move(entry.value), std::move(entry.where)});
  apply_entries(schema, entries);
}

}  // namespace tempera
