#include "drivers/commands/help.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "core/base/command_line.hpp"
#include "core/base/error.hpp"
#include "core/base/option_help.hpp"
#include "core/base/text.hpp"
#include "drivers/commands/commands.hpp"
#include "drivers/guide/guide.hpp"
#include "drivers/guide/lists.hpp"
#include "drivers/standard_streams.hpp"

namespace tempera::drivers {

namespace {

struct HelpOptions {
  std::string topic;
};

std::vector<std::string> topics() {
  std::vector<std::string> known;
  for (const GuidePage& page : guide_pages()) known.emplace_back(page.name);
  for (const Command& command : commands()) known.emplace_back(command.name);
  return known;
}

void declare(OptionSchema& schema, HelpOptions& options) {
  schema.example("tempera help durability");
  schema.positional("topic", OptionKind::text, options.topic)
      .proposals(topics())
      .default_text("a list of them")
      .help("a page of the guide, or a command");
}

std::string list_of_topics() {
  std::size_t widest = 0;
  for (const GuidePage& page : guide_pages()) widest = std::max(widest, page.name.size());
  for (const Command& command : commands()) widest = std::max(widest, command.name.size());
  std::string text = "Pages of the guide, 'tempera help TOPIC':\n";
  for (const GuidePage& page : guide_pages()) text += fmt::format("  {:{}}  {}\n", page.name, widest, page.heading);
  text += "\nOptions of a command, 'tempera help COMMAND':\n";
  for (const Command& command : commands()) text += fmt::format("  {:{}}  {}\n", command.name, widest, command.summary);
  return text;
}

[[noreturn]] void refuse_unknown(const std::string& topic) {
  const auto nearest = nearest_name(topic, topics());
  throw Error(Category::usage, "", fmt::format("unknown topic '{}'", topic),
              nearest ? fmt::format("did you mean '{}'?", *nearest) : "see 'tempera help'");
}

}  // namespace

int run_help(std::span<const std::string> arguments, const Launch& launch) {
  HelpOptions options;
  OptionSchema schema("help", std::string(kHelpSummary));
  declare(schema, options);
  if (parse_command_line(schema, arguments) == CommandLineOutcome::help) {
    if (launch.is_first()) print_result(help_text(schema));
    return 0;
  }
  const std::string& topic = options.topic;
  if (topic.empty()) {
    if (launch.is_first()) print_result(list_of_topics());
    return 0;
  }
  for (const GuidePage& page : guide_pages()) {
    if (page.name != topic) continue;
    if (launch.is_first()) print_result(page_text(page));
    return 0;
  }
  for (const Command& command : commands()) {
    const std::vector<std::string> help{"--help"};
    if (command.name == topic) return command.run(help, launch);
  }
  refuse_unknown(topic);
}

std::vector<CommandSchema> help_schemas() {
  return {command_schema<HelpOptions>("help", kHelpSummary, declare)};
}

}  // namespace tempera::drivers
