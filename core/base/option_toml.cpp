#include "core/base/option_toml.hpp"

#include <fmt/format.h>

#include <toml++/toml.h>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "core/base/error.hpp"
#include "core/base/text.hpp"

namespace tempera {

namespace {

std::string read_whole(const std::filesystem::path& file) {
  std::error_code problem;
  const bool is_folder = std::filesystem::is_directory(file, problem);
  errno = is_folder ? EISDIR : 0;
  std::ifstream stream(file, std::ios::binary);
  if (is_folder || !stream)
    throw Error(Category::usage, file.string(), fmt::format("cannot be read: {}", std::strerror(errno)),
                is_folder ? "name a TOML file inside it"
                          : "check the path, which is relative to the working directory, and its permissions");
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

toml::table parse(const std::filesystem::path& file) {
  try {
    return toml::parse(read_whole(file), file.string());
  } catch (const toml::parse_error& problem) {
    throw Error(Category::usage, fmt::format("{}:{}", file.string(), problem.source().begin.line),
                std::string(problem.description()), "the file must be TOML: key = value, texts in quotes");
  }
}

std::string describe(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::string: return "text";
    case toml::node_type::integer:
    case toml::node_type::floating_point: return "a number";
    case toml::node_type::boolean: return "true or false";
    case toml::node_type::array: return "an array";
    case toml::node_type::table: return "a table";
    default: return "a date or time";
  }
}

[[noreturn]] void wrong_type(const Option& option, const toml::node& node) {
  throw std::invalid_argument(fmt::format("{} expected, not {}", kind_text(option.kind()), describe(node)));
}

template <class T>
std::vector<T> array_of(const Option& option, const toml::array& array) {
  std::vector<T> values;
  for (const toml::node& item : array) {
    const auto value = item.value_exact<T>();
    if (!value) wrong_type(option, item);
    values.push_back(*value);
  }
  return values;
}

OptionValue value_from(const Option& option, const toml::node& node) {
  if (const auto text = node.value_exact<std::string>()) {
    const bool is_number = option.kind() == OptionKind::integer || option.kind() == OptionKind::real;
    const bool is_absent = !option.absent_word().empty() && *text == option.absent_word();
    if (option.kind() == OptionKind::flag || (is_number && !is_absent)) wrong_type(option, node);
    return option.parse(*text);
  }
  if (const toml::array* array = node.as_array()) {
    if (option.kind() == OptionKind::texts) return array_of<std::string>(option, *array);
    if (option.kind() == OptionKind::integers) return array_of<std::int64_t>(option, *array);
  }
  if (const auto flag = node.value_exact<bool>(); flag && option.kind() == OptionKind::flag) return *flag;
  if (const auto integer = node.value_exact<std::int64_t>()) {
    if (option.kind() == OptionKind::integer) return *integer;
    if (option.kind() == OptionKind::integers) return std::vector<std::int64_t>{*integer};
    if (option.kind() == OptionKind::real) return static_cast<double>(*integer);
  }
  if (const auto real = node.value_exact<double>(); real && option.kind() == OptionKind::real) {
    if (!std::isfinite(*real)) throw std::invalid_argument(fmt::format("'{}' is not a number", *real));
    return *real;
  }
  wrong_type(option, node);
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

void apply_toml(OptionSchema& schema, const std::filesystem::path& file) {
  const toml::table table = parse(file);
  for (const auto& [key, node] : table) {
    const std::string where = fmt::format("{}:{}", file.string(), key.source().begin.line);
    Option* option = schema.find(key.str());
    if (option == nullptr || option->is_config_file()) refuse_unknown(schema, where, key.str());
    try {
      const OptionValue value = value_from(*option, node);
      option->check(value);
      if (option->set_by() != "command line") option->assign(value, where);
    } catch (const std::invalid_argument& problem) {
      throw Error(Category::usage, where, fmt::format("{}: {}", option->name(), problem.what()),
                  fmt::format("see 'tempera {} --help'", schema.command()));
    }
  }
}

}  // namespace tempera
