#include "drivers/shell/zsh_completion.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string_view>

namespace tempera::drivers {

namespace {

constexpr const char* kHead = R"zsh(#compdef tempera
# Completion of tempera for zsh: commands, options, their values, files. Made by the build from the declared options.

# Words, and names of files as well: PATTERN of _path_files, then the words
_tempera_words_or_files() {
  local -a names=($1) words=(${@[2,-1]})
  _alternative 'words:word:compadd -a words' "files:file:_path_files ${names}"
}

_tempera() {
  local curcontext=$curcontext state line result=1
  local -A opt_args
)zsh";

std::string escaped(std::string_view text, std::string_view letters) {
  std::string result;
  for (const char letter : text) {
    if (letter == '\'') {
      result += "'\\''";  // the whole stands in single quotes
      continue;
    }
    if (letters.find(letter) != std::string_view::npos) result += '\\';
    result += letter;
  }
  return result;
}

/// What _arguments does to complete the value: a list of words, names of files, or nothing to propose.
std::string action(const Option& option) {
  const std::vector<std::string> words = option.known_words();
  const char* names = option.path_kind() == PathKind::folder ? "-/" : "-f";
  std::string list;
  for (const std::string& word : words) list += (list.empty() ? "" : " ") + escaped(word, "\\:()*?[]<>|&;$\"` ");
  if (words.empty()) return option.path_kind() == PathKind::none ? " " : fmt::format("_path_files {}", names);
  if (option.path_kind() == PathKind::none) return fmt::format("({})", list);
  return fmt::format(" _tempera_words_or_files {} {}", names, list);
}

std::string message(const Option& option) {
  return escaped(option.metavar(), "\\:");
}

std::string spec(const Option& option) {
  if (option.is_positional())
    return fmt::format("'{}:{}:{}'",
                       option.is_list()       ? "*"
                       : option.is_required() ? ""
                                              : ":",
                       message(option), action(option));
  const std::string flag = fmt::format("{}--{}", option.is_list() ? "*" : "", option.name());
  const std::string help = escaped(option.help(), "\\:[]");
  if (option.kind() == OptionKind::flag) return fmt::format("'{}[{}]'", flag, help);
  return fmt::format("'{}=[{}]:{}:{}'", flag, help, message(option), action(option));
}

}  // namespace

std::string zsh_completion(std::span<const CommandPage> pages) {
  std::string text = kHead;
  text += "  local -a commands=(\n";
  for (const CommandPage& page : pages) text += fmt::format("    '{}:{}'\n", page.name, escaped(page.summary, "\\:"));
  text += R"zsh(  )
  _arguments -C '(- *)--help[the commands]' '(- *)--version[the version]' '1: :->command' '*:: :->rest' && return 0
  case $state in
    command) _describe -t commands 'command of tempera' commands && result=0 ;;
    rest)
      case $words[1] in
)zsh";
  for (const CommandPage& page : pages) {
    text += fmt::format("        {})\n          _arguments -S '(- *)--help[its options]'", page.name);
    for (const Option* option : options_of(page)) text += " \\\n            " + spec(*option);
    for (const Option* argument : arguments_of(page)) text += " \\\n            " + spec(*argument);
    text += " && result=0\n          ;;\n";
  }
  return text + R"zsh(      esac
      ;;
  esac
  return result
}

_tempera "$@"
)zsh";
}

}  // namespace tempera::drivers
