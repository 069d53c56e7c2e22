#include "core/base/command_line.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <stdexcept>

#include "core/base/error.hpp"
#include "core/base/option_toml.hpp"
#include "core/base/text.hpp"

namespace tempera {

namespace {

using Texts = std::vector<std::string>;

std::string see_help(const OptionSchema& schema) {
  return fmt::format("see 'tempera {} --help'", schema.command());
}

[[noreturn]] void refuse(const OptionSchema& schema, const std::string& where, const std::string& what) {
  throw Error(Category::usage, where, what, see_help(schema));
}

bool asks_for_help(std::span<const std::string> arguments) {
  for (const std::string& argument : arguments) {
    if (argument == "--") return false;
    if (argument == "--help" || argument == "-h") return true;
  }
  return false;
}

[[noreturn]] void refuse_unknown(const OptionSchema& schema, const std::string& argument) {
  if (argument.size() < 2 || argument.front() != '-')
    refuse(schema, "", fmt::format("unexpected argument '{}'", argument));
  const std::string given = argument.substr(0, argument.find('='));
  Texts names;
  for (const Option& option : schema.options())
    if (!option.is_positional()) names.push_back(option.display_name());
  names.push_back("--help");
  const auto nearest = nearest_name(given, names);
  throw Error(Category::usage, "", "unknown option " + given,
              nearest ? fmt::format("did you mean {}?", *nearest) : see_help(schema));
}

/// CLI11 takes the next argument for a value whatever it is: `--output --overwrite` forgot a folder's name.
bool is_option_name(const OptionSchema& schema, const std::string& text) {
  return std::any_of(schema.options().begin(), schema.options().end(),
                     [&](const Option& option) { return !option.is_positional() && option.display_name() == text; });
}

void assign_texts(const OptionSchema& schema, Option& option, const Texts& given) {
  if (!option.is_positional() && is_option_name(schema, given.front()))
    refuse(schema, option.display_name(), "its value is missing");
  if (!option.is_list() && given.size() > 1)
    refuse(schema, option.display_name(), fmt::format("given {} times, but it takes one value", given.size()));
  try {
    option.assign(option.is_list() ? OptionValue(given) : option.parse(given.front()), "command line");
  } catch (const std::invalid_argument& problem) {
    const auto nearest = nearest_name(given.front(), option.choices());
    throw Error(Category::usage, option.display_name(), problem.what(),
                nearest ? fmt::format("did you mean '{}'?", *nearest) : see_help(schema));
  }
}

/// The texts given for each option, by position in the schema.
std::map<std::size_t, Texts> split_arguments(const OptionSchema& schema, std::span<const std::string> arguments) {
  CLI::App app;
  app.set_help_flag("");
  app.allow_extras();
  std::vector<CLI::Option*> handles;
  for (const Option& option : schema.options()) {
    const std::string name = option.is_positional() ? option.name() : option.display_name();
    CLI::Option* handle = option.kind() == OptionKind::flag ? app.add_flag(name) : app.add_option(name);
    if (option.kind() != OptionKind::flag) handle->expected(1)->allow_extra_args(false);
    if (option.is_positional() && option.is_list()) handle->expected(-1)->allow_extra_args(true);
    handles.push_back(handle->multi_option_policy(CLI::MultiOptionPolicy::TakeAll));
  }
  try {
    app.parse(Texts(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& problem) {
    // CLI11's own words are "NAME: 1 required TEXT missing"; with every value taken as text nothing else can fail.
    const std::string text = problem.what();
    refuse(schema, text.substr(0, text.find(':')), "its value is missing");
  }
  for (const std::string& extra : app.remaining())
    if (extra != "--") refuse_unknown(schema, extra);
  std::map<std::size_t, Texts> given;
  for (std::size_t i = 0; i < handles.size(); ++i)
    if (handles[i]->count() > 0) given[i] = handles[i]->results();
  return given;
}

void read_config_file(OptionSchema& schema) {
  for (const Option& option : schema.options())
    if (option.is_config_file() && !option.set_by().empty()) apply_toml(schema, std::get<std::string>(option.value()));
}

}  // namespace

CommandLineOutcome parse_command_line(OptionSchema& schema, std::span<const std::string> arguments) {
  if (asks_for_help(arguments)) return CommandLineOutcome::help;
  for (const auto& [position, texts] : split_arguments(schema, arguments))
    assign_texts(schema, schema.options()[position], texts);
  read_config_file(schema);
  for (const Option& option : schema.options())
    if (option.is_required() && option.set_by().empty()) refuse(schema, "", option.display_name() + " is missing");
  return CommandLineOutcome::run;
}

}  // namespace tempera
