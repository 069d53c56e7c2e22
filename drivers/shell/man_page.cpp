#include "drivers/shell/man_page.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include <algorithm>
#include <cctype>

#include "core/base/option_help.hpp"
#include "core/base/text.hpp"
#include "drivers/guide/lists.hpp"
#include "drivers/shell/man_text.hpp"

namespace tempera::drivers {

namespace {

constexpr const char* kStatus = R"(.SH EXIT STATUS
.TP
0
done
.TP
2
wrong usage or study file
.TP
3
bad input data
.TP
4
the computation failed
.TP
5
disk, memory, MPI, a folder in use or not empty
.TP
130
stopped after writing a checkpoint
)";

std::string head(std::string_view name, int section, std::string_view version, std::string_view summary) {
  std::string title(name);
  std::transform(title.begin(), title.end(), title.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::toupper(letter)); });
  return fmt::format(
      ".\\\" Made by the build from what the program declares.\n"
      ".TH {} {} \"\" \"tempera {}\" \"Tempera\"\n.SH NAME\n{} \\- {}\n",
      man_text(title), section, version, man_text(name), man_text(summary));
}

/// An entry with what it is in bold, up to the first blank, and its value in italics.
std::string entry(const std::string& synopsis, const std::string& text) {
  const std::size_t blank = synopsis.find(' ');
  std::string left = fmt::format("\\fB{}\\fR", man_text(synopsis.substr(0, blank)));
  if (blank != std::string::npos) left += fmt::format(" \\fI{}\\fR", man_text(synopsis.substr(blank + 1)));
  return fmt::format(".TP\n{}\n{}\n", left, man_inline(text));
}

std::string usage_of(const OptionSchema& schema) {
  std::string text = fmt::format("\\fBtempera {}\\fR", man_text(schema.command()));
  bool has_options = false;
  for (const Option& option : schema.options()) {
    has_options = has_options || !option.is_positional();
    if (!option.is_positional()) continue;
    const std::string word = fmt::format("\\fI{}\\fR", man_text(option_synopsis(option)));
    text += option.is_required() ? " " + word : " [" + word + "]";
  }
  return text + (has_options ? " [\\fIoptions\\fR]\n" : "\n");
}

/// Each way to use the command once.
std::string synopsis_of(const std::vector<CommandSchema>& schemas) {
  std::vector<std::string> usages;
  for (const CommandSchema& schema : schemas) {
    const std::string usage = usage_of(*schema.schema);
    if (std::ranges::find(usages, usage) == usages.end()) usages.push_back(usage);
  }
  return fmt::format(".SH SYNOPSIS\n{}", fmt::join(usages, ".br\n"));
}

std::string arguments_section(const OptionSchema& schema) {
  std::string text;
  for (const Option& option : schema.options())
    if (option.is_positional()) text += entry(option_synopsis(option), option_description(option));
  return text.empty() ? text : ".SH ARGUMENTS\n" + text;
}

std::string options_section(const CommandSchema& schema, bool several) {
  std::string text = ".SH OPTIONS" + (several ? " OF A RUN OF " + man_text(schema.runs_of) : "") + "\n";
  for (const std::string& group : option_groups(*schema.schema)) {
    text += fmt::format(".SS {}\n", man_text(group));
    for (const Option& option : schema.schema->options())
      if (!option.is_positional() && option.group() == group)
        text += entry(option_synopsis(option), option_description(option));
  }
  return text;
}

/// As a shell takes it, over several lines.
std::string example_section(const std::string& example) {
  constexpr int kWidth = 66;
  std::string text = ".SH EXAMPLE\n.nf\n";
  bool first = true;
  for (const std::string& piece : wrap_words(example, kWidth)) {
    text += first ? man_text(piece) : fmt::format(" \\e\n    {}", man_text(piece));
    first = false;
  }
  return text + "\n.fi\n";
}

std::string see_also(std::string_view own) {
  std::string text = ".SH SEE ALSO\n";
  if (own != "tempera") text += "\\fBtempera\\fR(1)";
  for (const GuidePage& page : guide_pages())
    if (page.name != own)
      text += fmt::format("{}\\fBtempera\\-{}\\fR(7)", text.ends_with('\n') ? "" : ", ", man_text(page.name));
  return text + "\n";
}

}  // namespace

std::string man_page_of_tempera(std::span<const CommandPage> commands, std::string_view version) {
  std::string text = head("tempera", 1, version, "tensors, posterior sampling and Bayesian optimisation over MPI");
  text +=
      ".SH SYNOPSIS\n\\fBtempera\\fR \\fICOMMAND\\fR [\\fIarguments\\fR]\n.br\n\\fBmpirun \\-n\\fR \\fIRANKS\\fR "
      "\\fBtempera\\fR "
      "\\fICOMMAND\\fR [\\fIarguments\\fR]\n.br\n\\fBtempera\\fR \\fB\\-\\-help\\fR | \\fB\\-\\-version\\fR\n";
  text +=
      ".SH DESCRIPTION\nTempera factors tensors, draws from posteriors by parallel tempering and finds the best "
      "settings of "
      "expensive programs, on one process or on many MPI ranks; no answer depends on their number, up to rounding. A "
      "command that computes leaves a run folder, see \\fBtempera\\-run\\-folder\\fR(7), and one that was stopped goes "
      "on by "
      "\\fBtempera resume\\fR.\n.SH COMMANDS\n";
  for (const CommandPage& command : commands)
    text += fmt::format(".TP\n\\fBtempera\\-{}\\fR(1)\n{}\n", man_text(command.name), man_text(command.summary));
  text += ".SH GUIDE\nThe pages of \\fBtempera help\\fR:\n";
  for (const GuidePage& page : guide_pages())
    text += fmt::format(".TP\n\\fBtempera\\-{}\\fR(7)\n{}\n", man_text(page.name), man_text(page.heading));
  return text + kStatus;
}

std::string man_page_of_command(const CommandPage& command, std::string_view version) {
  const OptionSchema& first = *command.schemas.front().schema;
  std::string text = head("tempera-" + command.name, 1, version, command.summary);
  text += synopsis_of(command.schemas) + arguments_section(first);
  for (const CommandSchema& schema : command.schemas) text += options_section(schema, command.schemas.size() > 1);
  if (!first.example().empty()) text += example_section(first.example());
  return text + kStatus + see_also("tempera-" + command.name);
}

std::string man_page_of_topic(const GuidePage& page, std::string_view version) {
  const std::string name = "tempera-" + std::string(page.name);
  std::string heading(page.heading);
  // "Starts: where the sweeps begin": the name stands before it already.
  if (const std::size_t colon = heading.find(": "); colon != std::string::npos) heading.erase(0, colon + 2);
  return head(name, 7, version, heading) + ".SH DESCRIPTION\n" + man_body(page_text(page)) + see_also(page.name);
}

}  // namespace tempera::drivers
