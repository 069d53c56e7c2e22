#include "drivers/master/study_space.hpp"

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/base/file_bytes.hpp"
#include "drivers/master/study_text.hpp"

namespace tempera::drivers {

namespace {

[[noreturn]] void refuse(const std::string& where, const std::string& what, const std::string& hint) {
  throw Error(Category::usage, where, what, hint);
}

/// Trials that are runs of a stage have no [[objective]] of their own: it is called what it is.
void take_direction(Stage& stage) {
  if (!stage.objective) return;
  const std::string name = stage.objective->metric + " of " + stage.objective->stage;
  stage.space->objectives = {{name, stage.objective->maximise}};
  stage.space_text += "[[objective]]\n" + toml_line("name", name);
  if (stage.objective->maximise) stage.space_text += "direction = \"maximize\"\n";
}

void read_inline(Stage& stage, const TomlTable& space) {
  stage.space = read_space(space, stage.where);
  for (const TomlEntry& entry : space.entries)
    for (const TomlTable& item : entry.tables) {
      stage.space_text += fmt::format("[[{}]]\n", entry.key);
      for (const TomlEntry& line : item.entries) stage.space_text += toml_line(line.key, line.value);
    }
  take_direction(stage);
}

void read_file(Stage& stage, const std::string& path, const TomlTable& table) {
  stage.space = read_space_file(path);
  stage.space_text = file_bytes(path);
  const bool has_objective = read_toml(path).find("objective") != nullptr;
  if (!stage.objective || !has_objective) {
    stage.space_text += "\n";
    return take_direction(stage);
  }
  if (table.find("objective")->tables.front().find("direction") != nullptr)
    refuse(stage.objective->stage_where, "objective.direction: the space has an [[objective]] too",
           "leave out one of the two");
  stage.objective->maximise = stage.space->objectives.front().maximise;
}

}  // namespace

void read_stage_space(Stage& stage, const TomlTable& table, const Study& study) {
  TomlTable space{stage.where, {}};
  for (const char* key : {"parameter", "constraint", "objective"})
    if (const TomlEntry* entry = table.find(key); entry != nullptr && entry->value.is_array())
      space.entries.push_back(*entry);
  const OptionEntry* const file = stage.option("space");
  if (file == nullptr) {
    if (!space.entries.empty()) read_inline(stage, space);
    return;
  }
  if (!space.entries.empty())
    refuse(file->where, fmt::format("space: there are parameters in the stage too ({})", space.entries.front().where),
           "leave out one of the two");
  if (!file->value.is_string())
    refuse(file->where, fmt::format("space: a path expected, not {}", toml_kind(file->value)),
           "see 'tempera help studies'");
  std::string path;
  try {
    path = study.located(expand_environment(file->value.get<std::string>(), study.folder));
    read_file(stage, path, table);
  } catch (const Error& error) {
    if (!error.where().empty() && error.where() != path) throw;  // a line of the space, or of the study
    throw Error(error.category(), file->where,
                fmt::format("space: {}{}", path.empty() ? "" : path + ": ", error.what_is_wrong()), error.hint());
  }
}

}  // namespace tempera::drivers
