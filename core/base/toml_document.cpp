#include "core/base/toml_document.hpp"

#include <fmt/format.h>

#include <toml++/toml.h>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <tuple>

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

nlohmann::ordered_json to_json(const toml::node& node) {
  if (const auto text = node.value_exact<std::string>()) return *text;
  if (const auto flag = node.value_exact<bool>()) return *flag;
  if (const auto whole = node.value_exact<std::int64_t>()) return *whole;
  if (const auto real = node.value_exact<double>()) return *real;
  nlohmann::ordered_json json;
  if (const toml::array* array = node.as_array()) {
    json = nlohmann::ordered_json::array();
    for (const toml::node& item : *array) json.push_back(to_json(item));
  } else if (const toml::table* table = node.as_table()) {
    json = nlohmann::ordered_json::object();
    for (const auto& [key, item] : *table) json[std::string(key.str())] = to_json(item);
  }
  return json;
}

TomlTable table_of(const toml::table& table, const std::string& file, toml::source_index line) {
  std::vector<std::pair<std::pair<toml::source_index, toml::source_index>, TomlEntry>> placed;
  for (const auto& [key, node] : table) {
    const toml::source_position at = key.source().begin;
    TomlEntry entry{std::string(key.str()), fmt::format("{}:{}", file, at.line), to_json(node), {}};
    if (const toml::table* inner = node.as_table()) entry.tables.push_back(table_of(*inner, file, at.line));
    if (const toml::array* array = node.as_array(); array != nullptr && array->is_homogeneous(toml::node_type::table))
      for (const toml::node& item : *array)
        entry.tables.push_back(table_of(*item.as_table(), file, item.source().begin.line));
    placed.emplace_back(std::pair(at.line, at.column), std::move(entry));
  }
  std::stable_sort(placed.begin(), placed.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  TomlTable result{fmt::format("{}:{}", file, line), {}};
  for (auto& [place, entry] : placed) result.entries.push_back(std::move(entry));
  return result;
}

}  // namespace

const TomlEntry* TomlTable::find(std::string_view key) const {
  const auto found = std::find_if(entries.begin(), entries.end(), [&](const TomlEntry& e) { return e.key == key; });
  return found == entries.end() ? nullptr : &*found;
}

TomlTable parse_toml(const std::string& text, const std::string& file, Category category) {
  try {
    return table_of(toml::parse(text, file), file, 1);
  } catch (const toml::parse_error& problem) {
    throw Error(category, fmt::format("{}:{}", file, problem.source().begin.line), std::string(problem.description()),
                "the file must be TOML: key = value, texts in quotes");
  }
}

TomlTable read_toml(const std::filesystem::path& file) {
  return parse_toml(read_whole(file), file.string(), Category::usage);
}

std::string toml_kind(const nlohmann::ordered_json& value) {
  switch (value.type()) {
    case nlohmann::json::value_t::string: return "text";
    case nlohmann::json::value_t::number_integer:
    case nlohmann::json::value_t::number_unsigned:
    case nlohmann::json::value_t::number_float: return "a number";
    case nlohmann::json::value_t::boolean: return "true or false";
    case nlohmann::json::value_t::array: return "an array";
    case nlohmann::json::value_t::object: return "a table";
    default: return "a date or time";
  }
}

std::string toml_line(std::string_view key, const nlohmann::ordered_json& value) {
  // Numbers, texts, true, false and arrays of these are written alike in JSON and in TOML.
  return fmt::format("{} = {}\n", key, value.dump());
}

}  // namespace tempera
