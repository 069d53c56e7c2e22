#include "core/base/option_help.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/base/text.hpp"

namespace tempera {

namespace {

constexpr int kWidth = 100;
constexpr int kIndent = 2;
constexpr int kWidestLeft = 30;

std::string shown_default(const Option& option) {
  if (!option.default_text().empty()) return option.default_text();
  if (option.kind() == OptionKind::flag) return {};
  if (std::holds_alternative<std::monostate>(option.default_value())) return option.absent_word();
  return format_option_value(option.kind(), option.default_value());
}

std::string usage_line(const OptionSchema& schema) {
  std::string line = "usage: tempera " + schema.command();
  bool has_options = false;
  for (const Option& option : schema.options()) {
    if (option.is_positional())
      line += option.is_required() ? fmt::format(" {}", option_synopsis(option))
                                   : fmt::format(" [{}]", option_synopsis(option));
    else
      has_options = true;
  }
  return line + (has_options ? " [options]" : "");
}

void append_entry(std::string& text, const std::string& left, const std::string& right, int column) {
  std::string line = std::string(kIndent, ' ') + left;
  for (const std::string& piece : wrap_words(right, kWidth - column)) {
    if (display_width(line) + 2 > column && !line.empty()) {
      text += line + "\n";
      line.clear();
    }
    text += line + std::string(static_cast<std::size_t>(column - display_width(line)), ' ') + piece + "\n";
    line.clear();
  }
}

/// A long example goes on over several lines the way a shell takes it.
std::string example_lines(const std::string& example) {
  std::string text;
  for (const std::string& piece : wrap_words(example, kWidth - 2 * kIndent - 2))
    text += (text.empty() ? "  " : " \\\n    ") + piece;
  return text;
}

}  // namespace

std::string option_synopsis(const Option& option) {
  if (option.is_positional()) return option.metavar() + (option.is_list() ? "..." : "");
  if (option.metavar().empty()) return fmt::format("--{}", option.name());
  return fmt::format("--{} {}", option.name(), option.metavar());
}

std::string option_description(const Option& option) {
  std::vector<std::string> notes;
  if (!option.unit().empty()) notes.push_back(fmt::format("in {}", option.unit()));
  if (!option.choices().empty()) notes.push_back(fmt::format("one of {}", fmt::join(option.choices(), ", ")));
  if (const std::string range = option.range_text(); !range.empty()) notes.push_back(range);
  if (option.is_list() && !option.is_positional()) notes.push_back("repeatable");
  if (option.is_required()) {
    if (!option.is_positional()) notes.push_back("required");
  } else if (const std::string text = shown_default(option); !text.empty()) {
    notes.push_back(fmt::format("default {}", text));
  }
  return notes.empty() ? option.help() : fmt::format("{} [{}]", option.help(), fmt::join(notes, "; "));
}

std::vector<std::string> option_groups(const OptionSchema& schema) {
  std::vector<std::string> groups;
  for (const Option& option : schema.options())
    if (!option.is_positional() && std::find(groups.begin(), groups.end(), option.group()) == groups.end())
      groups.push_back(option.group());
  return groups;
}

std::string help_text(const OptionSchema& schema) {
  int widest = display_width("--help");
  const std::vector<std::string> groups = option_groups(schema);
  for (const Option& option : schema.options())
    if (const int width = display_width(option_synopsis(option)); width <= kWidestLeft)
      widest = std::max(widest, width);
  const int column = kIndent + widest + 2;
  std::string text = fmt::format("tempera {}: {}\n\n{}\n", schema.command(), schema.summary(), usage_line(schema));
  const auto append_if = [&](const std::string& heading, const auto& belongs) {
    bool first = true;
    for (const Option& option : schema.options()) {
      if (!belongs(option)) continue;
      if (first) text += fmt::format("\n{}:\n", heading);
      first = false;
      append_entry(text, option_synopsis(option), option_description(option), column);
    }
  };
  append_if("Arguments", [](const Option& option) { return option.is_positional(); });
  for (const std::string& group : groups)
    append_if(group, [&](const Option& option) { return !option.is_positional() && option.group() == group; });
  text += "\n";
  append_entry(text, "--help", "this text", column);
  if (!schema.example().empty()) text += fmt::format("\nExample:\n{}\n", example_lines(schema.example()));
  return text;
}

}  // namespace tempera
