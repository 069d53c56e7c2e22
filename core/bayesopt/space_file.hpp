#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/base/toml_document.hpp"
#include "core/bayesopt/space.hpp"

namespace tempera {

struct Objective {
  std::string name = "value";
  bool maximise = false;
};

/// What a SPACE.toml says.
struct SpaceFile {
  Space space;
  std::vector<std::string> constraint_places;     ///< of the space's constraints: FILE:LINE
  std::vector<std::string> reported_constraints;  ///< that trials report; each holds if ≤ 0
  std::vector<Objective> objectives;              ///< at least one: "value", minimised, where none is named
};

/// Reads [[parameter]] tables (name, type, low, high, scale, choices, when, initial, unit), [[constraint]] tables
/// (`expression`, or the `name` of one that trials report) and [[objective]] tables (name, direction).
/// @throws Error{input} with FILE:LINE and a hint for all that is not understood or makes no space: unknown keys (with the
/// nearest known one), missing ones, wrong types, what Space refuses; Error{environment} without permission to read
SpaceFile read_space_file(const std::filesystem::path& file);
/// The same from a table that holds these tables. @param where  for what concerns the space as a whole
SpaceFile read_space(const TomlTable& table, const std::string& where);

}  // namespace tempera
