#include "drivers/commands/doctor.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "core/base/atomic_file.hpp"
#include "core/base/command_line.hpp"
#include "core/base/error.hpp"
#include "core/base/option_help.hpp"
#include "distributed/communicator/collectively.hpp"
#include "drivers/commands/doctor/checks.hpp"
#include "drivers/machine/measure.hpp"
#include "drivers/session.hpp"
#include "drivers/standard_streams.hpp"

namespace tempera::drivers {

namespace {

struct DoctorOptions {
  int threads = 1;
  std::filesystem::path machine_file;
};

void declare(OptionSchema& schema, DoctorOptions& options) {
  schema.example("mpirun -n 4 tempera doctor");
  schema.integer("threads", options.threads).minimum(1).maximum(1024).help("OpenMP threads of each MPI rank");
  schema.path("machine-file", options.machine_file)
      .metavar("FILE")
      .default_text("none")
      .help("measure arithmetic, memory and network of these nodes, for 'tempera plan --machine FILE'");
}

std::string_view word(Finding::Level level) {
  switch (level) {
    case Finding::Level::ok: return "OK";
    case Finding::Level::warn: return "WARN";
    case Finding::Level::fail: return "FAIL";
  }
  return "";
}

std::string text_of(const Findings& findings) {
  std::string text;
  for (const Finding& finding : findings) {
    text += fmt::format("{:4}  {:10}  {}\n", word(finding.level), finding.topic, finding.text);
    if (!finding.mend.empty()) text += fmt::format("{:18}mend: {}\n", "", finding.mend);
  }
  const auto count = [&](Finding::Level level) {
    return std::count_if(findings.begin(), findings.end(), [&](const Finding& f) { return f.level == level; });
  };
  return text + fmt::format("{} findings: {} to mend, {} to think about\n", findings.size(),
                            count(Finding::Level::fail), count(Finding::Level::warn));
}

Findings all_findings(const Communicator& world, const Launch& launch, const LaunchFacts& facts, int threads) {
  Findings findings;
  check_build(findings);
  check_machine(findings);
  check_launch(world, launch, facts, threads, findings);
  check_libraries(findings);
  check_scalapack(world, findings);
  check_speed(world, findings);
  return findings;
}

/// Refuses before anything is measured what could not be written afterwards.
void check_new_file(const std::filesystem::path& file) {
  std::error_code error;
  if (std::filesystem::exists(file, error))
    throw Error(Category::environment, file.string(), "the file exists already, perhaps with someone's own figures",
                "give another name, or remove it");
}

/// Collective. @throws Error{environment} on all ranks
void write_machine_file(const Communicator& world, const LaunchFacts& facts, const std::filesystem::path& file) {
  const MeasuredMachine measured = measure_machine(world, facts);
  if (!world.is_root()) return;
  const std::string text = machine_text(measured.machine, measured.assumed);
  write_file_atomically(file, text);
  std::string words = fmt::format("\n{}\nmachine file: {}\n", text, file.string());
  if (!measured.assumed.empty())
    words += fmt::format("not measured, as it needs {}: {}\n",
                         world.size() == 1 ? "several ranks ('mpirun -n 2'), best on two nodes" : "ranks on two nodes",
                         fmt::join(measured.assumed, ", "));
  print_result(words);
}

}  // namespace

int run_doctor(std::span<const std::string> arguments, const Launch& launch) {
  DoctorOptions options;
  OptionSchema schema("doctor", std::string(kDoctorSummary));
  declare(schema, options);
  if (parse_command_line(schema, arguments) == CommandLineOutcome::help) {
    if (launch.is_first()) print_result(help_text(schema));
    return 0;
  }
  Findings mixture;
  check_one_mpi(mixture);
  if (!mixture.empty()) {
    check_build(mixture);
    if (launch.is_first()) print_result(text_of(mixture));
    return exit_status(Category::environment);
  }
  return run_session(launch, [&](const Session& session) {
    const Communicator& world = session.world;
    set_threads(options.threads);
    const LaunchFacts facts = launch_facts(world);
    collectively(world, [&] {
      if (world.is_root() && !options.machine_file.empty()) check_new_file(options.machine_file);
    });
    const Findings findings = collectively(world, [&] {
      Findings all = all_findings(world, launch, facts, options.threads);
      if (launch.is_first()) print_result(text_of(all));
      return all;
    });
    const bool failed = std::any_of(findings.begin(), findings.end(),
                                    [](const Finding& finding) { return finding.level == Finding::Level::fail; });
    if (!options.machine_file.empty()) collectively(world, [&] { write_machine_file(world, facts, options.machine_file); });
    return failed ? exit_status(Category::environment) : 0;
  });
}

std::vector<CommandSchema> doctor_schemas() {
  return {command_schema<DoctorOptions>("doctor", kDoctorSummary, declare)};
}

}  // namespace tempera::drivers
