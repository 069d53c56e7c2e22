#include "drivers/guide/lists.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "core/base/text.hpp"
#include "core/bayesopt/objectives.hpp"
#include "core/sampling/explorers/explorers.hpp"
#include "core/sampling/targets/targets.hpp"

namespace tempera::drivers {

namespace {

constexpr int kWidth = 100;
constexpr int kIndent = 4;

/// A line of a list: "dim=1" and what it means.
struct Line {
  std::string left, right;
};

/// The right side wrapped beside the widest left one.
std::string list_text(const std::vector<Line>& lines) {
  int widest = 0;
  for (const Line& line : lines) widest = std::max(widest, display_width(line.left));
  const int column = kIndent + widest + 2;
  std::string text;
  for (const Line& line : lines) {
    std::string left =
        std::string(kIndent, ' ') + line.left + std::string(widest - display_width(line.left), ' ') + "  ";
    for (const std::string& piece : wrap_words(line.right, kWidth - column)) {
      text += left + piece + "\n";
      left.assign(static_cast<std::size_t>(column), ' ');
    }
  }
  return text;
}

Line line_of(const NamedSetting& setting) {
  return {setting.name + "=" + setting.default_value,
          setting.help + (setting.range.empty() ? "" : " [" + setting.range + "]")};
}

std::string heading(const std::string& name, const std::string& summary) {
  return fmt::format("\n## {}: {}\n", name, summary);
}

std::string list_of_targets() {
  std::string text;
  for (const TargetDescription& target : describe_targets()) {
    text += heading(target.name, target.summary);
    std::vector<Line> settings, simulated, fields;
    for (const TargetSetting& setting : target.settings)
      (setting.simulation ? simulated : settings).push_back(line_of(setting));
    for (const DataField& field : target.data)
      fields.push_back({field.name + (field.shape.empty() ? "" : " [" + field.shape + "]"),
                        field.help + (field.optional ? " (may be left out)" : "")});
    if (!settings.empty()) text += "\n" + list_text(settings);
    if (!simulated.empty()) text += "\nSimulated data, in place of --data:\n\n" + list_text(simulated);
    if (!fields.empty()) text += "\nFields of --data FILE.json:\n\n" + list_text(fields);
  }
  return text;
}

std::string list_of_explorers() {
  std::string text;
  for (const ExplorerDescription& explorer : describe_explorers()) {
    text += heading(explorer.name, explorer.summary);
    if (explorer.needs_gradient) text += "\nNeeds gradients.\n";
    std::vector<Line> settings;
    for (const NamedSetting& setting : explorer.settings) settings.push_back(line_of(setting));
    if (!settings.empty()) text += "\n" + list_text(settings);
  }
  return text;
}

std::string list_of_objectives() {
  std::string text;
  for (const ObjectiveDescription& objective : describe_objectives()) {
    text += heading(objective.name, objective.summary);
    std::vector<Line> settings;
    for (const NamedSetting& setting : objective.settings) settings.push_back(line_of(setting));
    if (!settings.empty()) text += "\n" + list_text(settings);
  }
  return text;
}

}  // namespace

std::string page_text(const GuidePage& page) {
  std::string text(page.text);
  if (page.name == "targets") text += list_of_targets();
  if (page.name == "explorers") text += list_of_explorers();
  if (page.name == "objectives") text += list_of_objectives();
  return text;
}

}  // namespace tempera::drivers
