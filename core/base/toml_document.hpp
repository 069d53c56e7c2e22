#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.hpp"

namespace tempera {

struct TomlTable;

/// A key of a TOML file and what it has. The value is JSON of the same kind; a date or time, which nothing takes, is null.
struct TomlEntry {
  std::string key;
  std::string where;  ///< FILE:LINE of the key
  nlohmann::ordered_json value;
  std::vector<TomlTable> tables;  ///< the table that is the value, or those of an array of tables, with their places

  bool is_table() const { return value.is_object(); }
  /// [[key]], one or several; or an empty array.
  bool is_list_of_tables() const { return value.is_array() && tables.size() == value.size(); }
};

/// A table, entries in the order of the file.
struct TomlTable {
  std::string where;
  std::vector<TomlEntry> entries;

  /// nullptr if there is none.
  const TomlEntry* find(std::string_view key) const;
};

/// @param file  for the places
/// @throws Error{category} "FILE:LINE: …" for what is no TOML
TomlTable parse_toml(const std::string& text, const std::string& file, Category category);
/// @throws Error{usage} as above, and naming the file if it cannot be read
TomlTable read_toml(const std::filesystem::path& file);

/// "text", "a number", "an array", …
std::string toml_kind(const nlohmann::ordered_json& value);

/// A key of that name, = and the value, as TOML. @pre the value is no table and has none
std::string toml_line(std::string_view key, const nlohmann::ordered_json& value);

}  // namespace tempera
