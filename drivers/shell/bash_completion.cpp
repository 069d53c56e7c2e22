#include "drivers/shell/bash_completion.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace tempera::drivers {

namespace {

constexpr const char* kHead =
    R"bash(# Completion of tempera for bash: commands, options, their values, files. Made by the build from the declared options.
# Behind a launcher as well, `mpirun -n 4 tempera …`, once this stands in ~/.bashrc:
#     . FOLDER/bash-completion/completions/tempera && complete -o default -F _tempera_launched mpirun mpiexec srun
)bash";

// Words that readline split at "=" and ":" are joined again; it replaces only what stands behind the last of these.
constexpr const char* kBody = R"bash(
_tempera() {
  local -a line=()
  local i word words kind options
  local command='' option='' plain='' used=' ' place=1
  COMPREPLY=()
  for ((i = 0; i <= COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    if ((i > 1)) && [[ -n $word && ($word == [=:]* || ${COMP_WORDS[i - 1]} == *[=:]) ]]; then
      line[${#line[@]} - 1]+=$word
    else
      line+=("$word")
    fi
  done
  local last=$((${#line[@]} - 1))
  local current=${line[last]}
  for ((i = 1; i < last; i++)); do
    word=${line[i]}
    if [[ -z $command ]]; then
      [[ $word == -* ]] && return
      command=$word
      options=" $(_tempera_options "$command") "
    elif [[ -n $option ]]; then
      option=''
    elif [[ -n $plain || $word != --* ]]; then
      place=$((place + 1))
    elif [[ $word == -- ]]; then
      plain=yes
    else
      used+="${word%%=*} "
      [[ $options == *" $word="[\ +]* ]] && option=$word
    fi
  done

  local value=$current
  if [[ -z $command ]]; then
    words=$_tempera_commands
    [[ $current == -* ]] && words='--help --version'
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
    return
  elif [[ -n $option ]]; then
    _tempera_value "$command" "$option"
  elif [[ -z $plain && $current == --*=* ]]; then
    value=${current#*=}
    _tempera_value "$command" "${current%%=*}"
  elif [[ -z $plain && $current == -* ]]; then
    words='' kind=''
    for word in $options; do
      option=${word%%[=+]*}
      [[ $word == *+ || $used != *" $option "* ]] && words+="$option "
    done
  else
    _tempera_value "$command" "$place"
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$value")
  if ((${#COMPREPLY[@]} == 0)); then
    # Readline's own completion of names knows quotes and "~".
    case $kind in
      file) compopt -o default ;;
      folder) compopt -o dirnames ;;
    esac
    return
  fi
  local cut='' separator head
  for separator in '=' ':'; do
    [[ $COMP_WORDBREAKS == *"$separator"* && $value == *"$separator"* ]] || continue
    head=${value%"${value##*"$separator"}"}
    ((${#head} > ${#cut})) && cut=$head
  done
  COMPREPLY=("${COMPREPLY[@]#"$cut"}")
  [[ $value != "$current" && $COMP_WORDBREAKS != *=* ]] && COMPREPLY=("${COMPREPLY[@]/#/${current%%=*}=}")
  return 0
}

_tempera_launched() {
  local i
  for ((i = 1; i < COMP_CWORD; i++)); do
    [[ ${COMP_WORDS[i]##*/} == tempera ]] || continue
    local -a rest=("${COMP_WORDS[@]:i}")
    local place=$((COMP_CWORD - i))
    local -a COMP_WORDS=("${rest[@]}")
    local COMP_CWORD=$place
    _tempera
    return
  done
  COMPREPLY=()
}

complete -F _tempera tempera
)bash";

/// "--rank=", "--set=+", "--quiet"
std::string marked(const Option& option) {
  return fmt::format("--{}{}{}", option.name(), option.kind() == OptionKind::flag ? "" : "=",
                     option.is_list() ? "+" : "");
}

std::string options_function(std::span<const CommandPage> pages) {
  std::string text =
      "\n# COMMAND: its options; \"=\" behind those that take a value, \"+\" behind those that may be repeated\n"
      "_tempera_options() {\n  case $1 in\n";
  for (const CommandPage& page : pages) {
    text += fmt::format("    {})\n      echo '--help", page.name);
    for (const Option* option : options_of(page)) text += " " + marked(*option);
    text += "'\n      ;;\n";
  }
  return text + "  esac\n}\n";
}

std::string kind_of(const Option& option) {
  switch (option.path_kind()) {
    case PathKind::none: return "";
    case PathKind::file: return "file";
    case PathKind::folder: return "folder";
  }
  return "";
}

std::string value_case(const std::string& pattern, const Option& option) {
  const std::vector<std::string> words = option.known_words();
  std::string actions;
  if (!words.empty()) actions += fmt::format(" words='{}'", fmt::join(words, " "));
  if (option.path_kind() != PathKind::none) actions += fmt::format(" kind='{}'", kind_of(option));
  return actions.empty() ? "" : fmt::format("    {}){} ;;\n", pattern, actions);
}

std::string value_function(std::span<const CommandPage> pages) {
  std::string text =
      "\n# COMMAND, and an option or the place of an argument: sets the words to propose and the kind of names\n"
      "_tempera_value() {\n  words='' kind=''\n  case $1:$2 in\n";
  for (const CommandPage& page : pages) {
    for (const Option* option : options_of(page))
      text += value_case(fmt::format("{}:--{}", page.name, option->name()), *option);
    int place = 0;
    for (const Option* argument : arguments_of(page))
      text += value_case(
          argument->is_list() ? fmt::format("{}:[0-9]*", page.name) : fmt::format("{}:{}", page.name, ++place),
          *argument);
  }
  return text + "  esac\n}\n";
}

}  // namespace

std::string bash_completion(std::span<const CommandPage> pages) {
  std::string names;
  for (const CommandPage& page : pages) names += (names.empty() ? "" : " ") + page.name;
  return fmt::format("{}\n_tempera_commands='{}'\n{}{}{}", kHead, names, options_function(pages), value_function(pages),
                     kBody);
}

}  // namespace tempera::drivers
