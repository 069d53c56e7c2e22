#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tempera::drivers {

/// "fit.log_evidence" or "fit[rank=4].log_evidence": a result of another stage.
struct Reference {
  std::string stage;
  std::string label;  ///< "rank=4"; empty: no instance is named
  std::string key;

  std::string text() const;
};

/// A part of a text of a study file.
struct TextPiece {
  enum class Kind { literal, reference, parameter };
  Kind kind = Kind::literal;
  std::string text;  ///< literally, or the parameter's name
  Reference reference = {};
};

/// A text of a study file, taken apart.
struct StudyText {
  std::vector<TextPiece> pieces;
  bool whole = false;  ///< it is one reference, and has its value whatever the kind
  bool replaced =
      false;  ///< braces or variables are replaced: what comes of it is read as on a command line, "{rank}" as a number

  bool is_literal() const;
};

/// What may stand in a text.
struct TextRules {
  std::span<const std::string> stages;
  std::filesystem::path folder;  ///< of the study file
  bool own_braces = false;       ///< {name} and {{name}} stay: the engine replaces them itself
};

/// Takes a text apart: a reference alone; or, within it, {STAGE.key}, {parameter}, {{name}} for {name}, ${NAME} and
/// ${NAME:-default} for environment variables (replaced at once), $${NAME} for ${NAME}. Other braces stay.
/// @throws Error{usage} without a place: unknown stages, variables that are not set
StudyText parse_study_text(const std::string& text, const TextRules& rules);

/// The text in which nothing but environment variables may stand. @throws Error{usage} without a place
std::string expand_environment(const std::string& text, const std::filesystem::path& folder);

/// The stage that a text such as "serch.best.rank" was meant to refer to, if none has that name.
std::optional<std::string> misspelt_stage(std::string_view text, std::span<const std::string> stages);

}  // namespace tempera::drivers
