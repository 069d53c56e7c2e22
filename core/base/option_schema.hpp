#pragma once

#include <deque>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/option_value.hpp"

namespace tempera {

/// What a value names in the file system, if anything.
enum class PathKind { none, file, folder };

/// One declared option. The setters return the option itself, so that a declaration reads as one sentence.
class Option {
 public:
  /// Placeholder of the value in the help text; chosen by kind otherwise.
  Option& metavar(std::string text);
  /// Unit of the value, "bytes"; shown in the help text.
  Option& unit(std::string text);
  /// One sentence without a full stop.
  Option& help(std::string text);
  /// Bounds of a number, of each number of a list, or of a duration in seconds.
  Option& minimum(double value);
  Option& above(double value);
  Option& maximum(double value);
  Option& below(double value);
  /// What a person writes to leave an optional value open: "auto", "none". @pre bound to a std::optional
  Option& absent(std::string word);
  /// Shown as default in place of the variable's value, where that is computed later.
  Option& default_text(std::string text);
  /// Must be given on the command line or in the file.
  Option& required();
  /// Words that a shell proposes as value, beside choices and the absent word; others are taken as well.
  Option& proposals(std::vector<std::string> words);
  /// What the value names, for completion by a shell; a file if the kind is path and nothing else is said.
  Option& names(PathKind kind);

  const std::string& name() const { return name_; }
  OptionKind kind() const { return kind_; }
  const std::string& group() const { return group_; }
  const std::string& metavar() const { return metavar_; }
  const std::string& unit() const { return unit_; }
  const std::string& help() const { return help_; }
  /// "at least 1", "" if any value will do.
  std::string range_text() const { return range_.text(kind_ == OptionKind::duration ? "s" : ""); }
  const std::vector<std::string>& choices() const { return choices_; }
  const std::string& absent_word() const { return absent_; }
  /// All words that a shell can propose: choices, proposals and the absent word.
  std::vector<std::string> known_words() const;
  PathKind path_kind() const { return path_kind_; }
  const std::string& default_text() const { return default_text_; }
  bool is_required() const { return required_; }
  bool is_positional() const { return positional_; }
  bool is_config_file() const { return config_file_; }
  bool is_list() const { return kind_ == OptionKind::texts; }
  /// Value of the bound variable at declaration, and now.
  const OptionValue& default_value() const { return default_; }
  OptionValue value() const { return load_(); }

  /// "" while the default holds, else "command line" or FILE:LINE.
  const std::string& set_by() const { return set_by_; }
  /// How messages name it: "--rank", or "INPUT" for a positional.
  std::string display_name() const;

  /// Checks range and choices and assigns the bound variable.
  /// @throws std::invalid_argument saying what is wrong with the value, "0 is out of range: at least 1 expected"
  void assign(const OptionValue& value, std::string set_by);
  /// The same from text as written on a command line; the absent word is understood.
  OptionValue parse(std::string_view text) const;
  /// Range and choices only.
  void check(const OptionValue& value) const;

 private:
  friend class OptionSchema;
  Option() = default;
  void check_number(double number, const std::string& shown) const;

  std::string name_;
  OptionKind kind_ = OptionKind::flag;
  std::string group_;
  std::string metavar_;
  std::string unit_;
  std::string help_;
  OptionRange range_;
  std::vector<std::string> choices_;
  std::string absent_;
  std::string default_text_;
  std::vector<std::string> proposals_;
  PathKind path_kind_ = PathKind::none;
  bool required_ = false;
  bool positional_ = false;
  bool config_file_ = false;
  bool narrow_ = false;  // bound to an int
  OptionValue default_;
  std::string set_by_;
  std::function<void(const OptionValue&)> store_;
  std::function<OptionValue()> load_;
};

/// All options of one command, each declared once and bound to a variable whose value at that moment is the default:
///
///     OptionSchema schema("decompose", "factor a tensor");
///     schema.positional("input", OptionKind::path, options.input).help("tensor to factor").required();
///     schema.group("Model");
///     schema.integers("rank", options.rank).minimum(1).help("number of components");
///
/// From it come the command line (command_line.hpp), TOML files (option_toml.hpp), the help text (option_help.hpp) and
/// the manifest (option_json.hpp). The variables must outlive the schema. Any value may be a std::optional.
class OptionSchema {
 public:
  OptionSchema(std::string command, std::string summary);
  OptionSchema(const OptionSchema&) = delete;
  OptionSchema& operator=(const OptionSchema&) = delete;

  /// A command line shown at the end of the help text.
  void example(std::string text) { example_ = std::move(text); }
  /// Heading for the options declared from here on.
  void group(std::string heading) { group_ = std::move(heading); }

  Option& flag(std::string name, bool& variable) { return add(std::move(name), OptionKind::flag, variable); }
  /// T: int, std::int64_t or an optional of these.
  template <class T>
  Option& integer(std::string name, T& variable) {
    Option& option = add(std::move(name), OptionKind::integer, variable);
    option.narrow_ = std::is_same_v<T, int> || std::is_same_v<T, std::optional<int>>;
    return option;
  }
  /// T: double or std::optional<double>.
  template <class T>
  Option& real(std::string name, T& variable) {
    return add(std::move(name), OptionKind::real, variable);
  }
  /// Seconds, written "90s", "1h30m", "250ms". T: double or std::optional<double>.
  template <class T>
  Option& duration(std::string name, T& variable) {
    return add(std::move(name), OptionKind::duration, variable);
  }
  /// T: std::string or an optional of it.
  template <class T>
  Option& text(std::string name, T& variable) {
    return add(std::move(name), OptionKind::text, variable);
  }
  template <class T>
  Option& choice(std::string name, T& variable, std::vector<std::string> choices) {
    Option& option = add(std::move(name), OptionKind::choice, variable);
    option.choices_ = std::move(choices);
    return option;
  }
  /// T: std::filesystem::path or an optional of it.
  template <class T>
  Option& path(std::string name, T& variable) {
    return add(std::move(name), OptionKind::path, variable);
  }
  /// Repeatable: each use appends one text; the first use replaces the default.
  Option& texts(std::string name, std::vector<std::string>& variable) {
    return add(std::move(name), OptionKind::texts, variable);
  }
  /// "10,20,30". T: std::vector<std::int64_t> or an optional of it.
  template <class T>
  Option& integers(std::string name, T& variable) {
    return add(std::move(name), OptionKind::integers, variable);
  }
  /// Argument without a dash, in the order of declaration; a list (OptionKind::texts) takes all that are left.
  template <class T>
  Option& positional(std::string name, OptionKind kind, T& variable) {
    Option& option = add(std::move(name), kind, variable);
    make_positional(option);
    return option;
  }
  /// The option that names a TOML file with values for the others; read by parse_command_line.
  Option& config_file(std::string name, std::filesystem::path& variable) {
    Option& option = add(std::move(name), OptionKind::path, variable);
    option.config_file_ = true;
    return option;
  }

  const std::string& command() const { return command_; }
  const std::string& summary() const { return summary_; }
  const std::string& example() const { return example_; }
  const std::deque<Option>& options() const { return options_; }
  std::deque<Option>& options() { return options_; }
  /// nullptr if there is none of this name.
  Option* find(std::string_view name);
  const Option* find(std::string_view name) const;
  /// The words "FILE:LINE: rank" or "--rank" for an error found later about a value that was accepted here.
  /// @pre the option exists
  std::string where(std::string_view name) const;

 private:
  template <class T>
  Option& add(std::string name, OptionKind kind, T& variable) {
    return add(
        std::move(name), kind, detail::to_option_value(variable),
        [&variable](const OptionValue& value) { detail::from_option_value(value, variable); },
        [&variable] { return detail::to_option_value(variable); });
  }
  Option& add(std::string name, OptionKind kind, OptionValue initial, std::function<void(const OptionValue&)> store,
              std::function<OptionValue()> load);
  static void make_positional(Option& option);

  std::string command_;
  std::string summary_;
  std::string example_;
  std::string group_ = "Options";
  std::deque<Option> options_;
};

}  // namespace tempera
