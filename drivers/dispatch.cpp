#include "drivers/dispatch.hpp"

#include <fmt/format.h>
#include <mpi.h>

#include <span>

#include "core/base/build_info.hpp"
#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "drivers/commands/commands.hpp"
#include "drivers/first_process.hpp"
#include "drivers/launch.hpp"
#include "drivers/session.hpp"
#include "drivers/standard_streams.hpp"

namespace tempera::drivers {

namespace {

std::string overview() {
  std::string text =
      "tempera: tensors, posterior sampling and Bayesian optimisation on one laptop or many MPI ranks\n\n"
      "usage: tempera COMMAND [arguments]\n"
      "       mpirun -n RANKS tempera COMMAND [arguments]\n\nCommands:\n";
  std::size_t widest = 0;
  for (const Command& command : commands()) widest = std::max(widest, command.name.size());
  for (const Command& command : commands()) text += fmt::format("  {:{}}  {}\n", command.name, widest, command.summary);
  return text +
         "\n'tempera COMMAND --help' shows the options of a command, 'tempera help' the pages of the guide,\n"
         "'tempera --version' the version.\n";
}

std::string version_line() {
  const BuildInfo& build = build_info();
  return fmt::format("tempera {} ({}, {}, {})\n", build.version, build.git_hash, build.build_type, build.compiler);
}

[[noreturn]] void refuse_unknown(const std::string& word) {
  std::vector<std::string> known;
  if (word.starts_with("-")) {
    known = {"--help", "--version"};
  } else {
    for (const Command& command : commands()) known.emplace_back(command.name);
  }
  const auto nearest = nearest_name(word, known);
  throw Error(Category::usage, "", fmt::format("unknown {} '{}'", word.starts_with("-") ? "option" : "command", word),
              nearest ? fmt::format("did you mean '{}'?", *nearest) : "see 'tempera --help'");
}

int run(const std::vector<std::string>& arguments, const Launch& launch) {
  if (arguments.empty()) {
    if (launch.is_first()) print_message(overview());
    return exit_status(Category::usage);
  }
  const std::string& word = arguments.front();
  if (word == "--help" || word == "-h") {
    if (launch.is_first()) print_result(overview());
    return 0;
  }
  if (word == "--version") {
    if (launch.is_first()) print_result(version_line());
    return 0;
  }
  for (const Command& command : commands())
    if (command.name == word) return command.run(std::span(arguments).subspan(1), launch);
  refuse_unknown(word);
}

/// Before it nothing orders the processes.
bool mpi_has_begun() {
  int initialized = 0;
  MPI_Initialized(&initialized);
  return initialized != 0;
}

}  // namespace

int dispatch(const std::vector<std::string>& arguments) {
  occupy_standard_streams();
  const Launch launch = read_launch();
  int status = 0;
  try {
    status = run(arguments, launch);
  } catch (...) {
    status = report_current_exception(launch);
  }
  if (status != 0 && !mpi_has_begun()) let_the_first_process_print(launch);
  return status;
}

}  // namespace tempera::drivers
