#include "distributed/bayesopt/command_trial_arguments.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <functional>

#include "core/base/error.hpp"
#include "core/base/text.hpp"

namespace tempera {

namespace {

[[noreturn]] void refuse(const std::string& what_is_wrong, const std::string& hint) {
  throw Error(Category::usage, "--command", what_is_wrong, hint);
}

/// One word of a command, from its first character on.
class WordReader {
 public:
  explicit WordReader(std::string_view text) : text_(text) {}

  bool at_end() {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
    return at_ == text_.size();
  }

  std::string next() {
    std::string word;
    while (at_ < text_.size() && !is_blank(text_[at_])) {
      const char letter = text_[at_++];
      if (letter == '\'') {
        single_quoted(word);
      } else if (letter == '"') {
        double_quoted(word);
      } else if (letter == '\\') {
        if (at_ == text_.size()) refuse("it ends with a \\", "a \\ that is meant is written \\\\");
        if (text_[at_] != '\n') word += text_[at_];
        ++at_;
      } else {
        word += letter;
      }
    }
    return word;
  }

 private:
  static bool is_blank(char letter) { return letter == ' ' || letter == '\t' || letter == '\n' || letter == '\r'; }

  void single_quoted(std::string& word) {
    const std::size_t end = text_.find('\'', at_);
    if (end == std::string_view::npos) refuse("a quote ' is not closed", "write a ' itself as \\'");
    word += text_.substr(at_, end - at_);
    at_ = end + 1;
  }

  void double_quoted(std::string& word) {
    while (at_ < text_.size() && text_[at_] != '"') {
      constexpr std::string_view kEscapable = "$`\"\\\n";
      const bool escaped =
          text_[at_] == '\\' && at_ + 1 < text_.size() && kEscapable.find(text_[at_ + 1]) != std::string_view::npos;
      if (escaped) ++at_;
      if (!escaped || text_[at_] != '\n') word += text_[at_];
      ++at_;
    }
    if (at_ == text_.size()) refuse("a quote \" is not closed", "write a \" itself as \\\"");
    ++at_;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

/// Calls replace(name) for each {name} of a word, name free of braces, and puts its answer there; {{name}} becomes {name}.
std::string replace_braces(const std::string& word, const std::function<std::string(const std::string&)>& replace) {
  std::string result;
  for (std::size_t i = 0; i < word.size();) {
    const std::size_t end = word[i] == '{' ? word.find_first_of("{}", i + 1) : std::string::npos;
    if (end != std::string::npos && word[end] == '}') {
      result += replace(word.substr(i + 1, end - i - 1));
      i = end + 1;
    } else if (end == i + 1 && word.find_first_of("{}", end + 1) < word.size() &&
               word.compare(word.find_first_of("{}", end + 1), 2, "}}") == 0) {
      const std::size_t close = word.find_first_of("{}", end + 1);
      result += word.substr(end, close + 1 - end);
      i = close + 2;
    } else {
      result += word[i++];
    }
  }
  return result;
}

bool can_execute(const std::filesystem::path& file) {
  std::error_code problem;
  return std::filesystem::is_regular_file(file, problem) && ::access(file.c_str(), X_OK) == 0;
}

}  // namespace

std::vector<std::string> split_command(std::string_view text) {
  std::vector<std::string> words;
  WordReader reader(text);
  while (!reader.at_end()) words.push_back(reader.next());
  if (words.empty() || words.front().empty())
    refuse("it names no program", "such as --command \"./train --rate {rate}\"");
  return words;
}

void check_program(const std::string& program, const std::filesystem::path& folder) {
  std::error_code problem;
  if (program.find('/') != std::string::npos) {
    const std::filesystem::path path = folder / program;
    if (!std::filesystem::exists(path, problem))
      refuse(fmt::format("'{}' does not exist", program),
             folder.empty() ? "the path is relative to the folder where tempera is started"
                            : fmt::format("the path is relative to {}", folder.string()));
    if (std::filesystem::is_directory(path, problem))
      refuse(fmt::format("'{}' is a folder", program), "name a program in it");
    if (!can_execute(path))
      refuse(fmt::format("'{}' is not executable", program),
             fmt::format("chmod +x {}, or name its interpreter first", program));
    return;
  }
  const char* const path = std::getenv("PATH");
  for (const std::string_view at : split(path == nullptr ? "/bin:/usr/bin" : path, ':'))
    if (can_execute(std::filesystem::path(at.empty() ? "." : at) / program)) return;
  refuse(fmt::format("'{}' is not found in PATH", program), std::filesystem::exists(folder / program, problem)
                                                                ? fmt::format("write ./{}", program)
                                                                : "name a program in PATH, or give its path");
}

TrialCommand::TrialCommand(std::string_view text, const Space& space, const std::filesystem::path& folder)
    : words_(split_command(text)) {
  for (const Parameter& parameter : space.parameters()) names_.push_back(parameter.name);
  bool program_varies = false;
  for (const std::string& word : words_)
    replace_braces(word, [&](const std::string& name) -> std::string {
      const bool known = std::find(names_.begin(), names_.end(), name) != names_.end();
      if (known && &word == &words_.front()) program_varies = true;
      if (known) return {};
      if (const auto nearest = nearest_name(name, names_))
        refuse(fmt::format("'{{{}}}' names no parameter", name),
               fmt::format("did you mean '{{{}}}'? braces themselves are written '{{{{{}}}}}'", *nearest, name));
      return {};
    });
  if (!program_varies) check_program(words_.front(), folder);
}

std::vector<std::string> TrialCommand::arguments(const nlohmann::ordered_json& values) const {
  std::vector<std::string> filled;
  for (const std::string& word : words_)
    filled.push_back(replace_braces(word, [&](const std::string& name) -> std::string {
      if (std::find(names_.begin(), names_.end(), name) == names_.end()) return "{" + name + "}";
      const auto value = values.find(name);
      if (value == values.end()) return {};
      return value->is_string() ? value->get<std::string>() : value->dump();
    }));
  return filled;
}

}  // namespace tempera
