#include "drivers/master/study_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "core/base/error.hpp"
#include "core/base/text.hpp"

namespace tempera::drivers {

namespace {

bool is_name_letter(char letter) {
  return std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '_' || letter == '-';
}

bool is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_name_letter) &&
         std::isdigit(static_cast<unsigned char>(text.front())) == 0;
}

Error usage(const std::string& what, const std::string& hint) {
  return {Category::usage, "", what, hint};
}

/// "NAME.key" or "NAME[label].key", whatever NAME.
std::optional<Reference> shaped_like_reference(std::string_view text) {
  if (text.find_first_of(" \t\n'\"") != std::string_view::npos) return std::nullopt;
  std::size_t at = 0;
  while (at < text.size() && is_name_letter(text[at])) ++at;
  if (at == 0 || at == text.size()) return std::nullopt;
  Reference reference{std::string(text.substr(0, at)), "", ""};
  if (text[at] == '[') {
    const std::size_t close = text.find("].", at);
    if (close == std::string_view::npos) return std::nullopt;
    reference.label = text.substr(at + 1, close - at - 1);
    at = close + 1;
  }
  if (text[at] != '.' || at + 1 == text.size()) return std::nullopt;
  reference.key = text.substr(at + 1);
  return reference;
}

bool is_among(std::span<const std::string> names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::optional<std::string> environment(const std::string& name, const std::filesystem::path& folder) {
  if (const char* value = std::getenv(name.c_str())) return value;
  std::error_code problem;
  if (name == "TEMPERA_EXECUTABLE") {
    const std::filesystem::path own = std::filesystem::read_symlink("/proc/self/exe", problem);
    return problem ? std::nullopt : std::optional(own.string());
  }
  if (name != "TEMPERA_DATA_DIR") return std::nullopt;
  for (std::filesystem::path at = std::filesystem::absolute(folder).lexically_normal();; at = at.parent_path()) {
    if (std::filesystem::is_directory(at / "shared" / "data", problem)) return (at / "shared" / "data").string();
    if (at == at.parent_path()) return std::nullopt;
  }
}

/// Reads a text from its first character on.
class TextReader {
 public:
  TextReader(const std::string& text, const TextRules& rules) : text_(text), rules_(rules) {}

  StudyText read() {
    const auto whole = shaped_like_reference(text_);
    if (whole && is_among(rules_.stages, whole->stage)) {
      result_.pieces.push_back({TextPiece::Kind::reference, "", *whole});
      result_.whole = true;
      return std::move(result_);
    }
    while (at_ < text_.size()) {
      if (text_.compare(at_, 3, "$${") == 0) {
        add("${");
        at_ += 3;
        result_.replaced = true;
      } else if (text_.compare(at_, 2, "${") == 0) {
        variable();
      } else if (text_[at_] == '{') {
        braces();
      } else {
        add(text_[at_++]);
      }
    }
    return std::move(result_);
  }

 private:
  template <class Text>
  void add(const Text& text) {
    if (result_.pieces.empty() || result_.pieces.back().kind != TextPiece::Kind::literal) result_.pieces.emplace_back();
    result_.pieces.back().text += text;
  }

  void variable() {
    const std::size_t close = text_.find('}', at_);
    if (close == std::string::npos) throw usage("a ${ is not closed", "a ${ that is meant is written $${");
    const std::string inside = text_.substr(at_ + 2, close - at_ - 2);
    const std::size_t dash = inside.find(":-");
    const std::string name = inside.substr(0, dash);
    if (!is_name(name) || name.find('-') != std::string::npos)
      throw usage(fmt::format("'{}' is no name of an environment variable", name),
                  "write ${NAME} or ${NAME:-default}; a ${ that is meant is written $${");
    const auto value = environment(name, rules_.folder);
    if (!value && dash == std::string::npos)
      throw usage(fmt::format("the environment variable '{}' is not set", name),
                  fmt::format("export it, or give a default: ${{{}:-…}}", name));
    add(value ? *value : inside.substr(dash + 2));
    result_.replaced = true;
    at_ = close + 1;
  }

  void braces() {
    const std::size_t end = text_.find_first_of("{}", at_ + 1);
    if (end == at_ + 1 && text_[end] == '{') {  // {{name}}
      const std::size_t close = text_.find_first_of("{}", end + 1);
      if (close != std::string::npos && text_.compare(close, 2, "}}") == 0) {
        add(rules_.own_braces ? text_.substr(at_, close + 2 - at_) : text_.substr(end, close + 1 - end));
        result_.replaced = result_.replaced || !rules_.own_braces;
        at_ = close + 2;
        return;
      }
    }
    if (end == std::string::npos || text_[end] == '{') {
      add(text_[at_++]);
      return;
    }
    const std::string inside = text_.substr(at_ + 1, end - at_ - 1);
    const auto reference = shaped_like_reference(inside);
    if (reference && is_among(rules_.stages, reference->stage)) {
      replace({TextPiece::Kind::reference, "", *reference});
    } else if (reference && (!rules_.own_braces || nearest_name(reference->stage, rules_.stages))) {
      const auto nearest = nearest_name(reference->stage, rules_.stages);
      throw usage(fmt::format("unknown stage '{}'", reference->stage),
                  nearest ? fmt::format("did you mean '{}'?", *nearest)
                          : fmt::format("braces that are meant are written {{{{{}}}}}", inside));
    } else if (is_name(inside) && !rules_.own_braces) {
      replace({TextPiece::Kind::parameter, inside});
    } else {
      add(text_.substr(at_, end + 1 - at_));
    }
    at_ = end + 1;
  }

  void replace(TextPiece piece) {
    result_.pieces.push_back(std::move(piece));
    result_.replaced = true;
  }

  const std::string& text_;
  const TextRules& rules_;
  std::size_t at_ = 0;
  StudyText result_;
};

}  // namespace

std::string Reference::text() const {
  return stage + (label.empty() ? "" : "[" + label + "]") + "." + key;
}

bool StudyText::is_literal() const {
  return std::all_of(pieces.begin(), pieces.end(),
                     [](const TextPiece& piece) { return piece.kind == TextPiece::Kind::literal; });
}

StudyText parse_study_text(const std::string& text, const TextRules& rules) {
  return TextReader(text, rules).read();
}

std::string expand_environment(const std::string& text, const std::filesystem::path& folder) {
  const StudyText parsed = parse_study_text(text, {{}, folder, true});
  return parsed.pieces.empty() ? "" : parsed.pieces.front().text;
}

std::optional<std::string> misspelt_stage(std::string_view text, std::span<const std::string> stages) {
  const auto reference = shaped_like_reference(text);
  if (!reference || is_among(stages, reference->stage)) return std::nullopt;
  return nearest_name(reference->stage, stages);
}

}  // namespace tempera::drivers
