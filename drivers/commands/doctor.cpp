#include "drivers/commands/doctor.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/command_line.hpp"
#include "core/base/error.hpp"
#include "core/base/option_help.hpp"
#include "distributed/communicator/collectively.hpp"
#include "drivers/commands/doctor/checks.hpp"
#include "drivers/session.hpp"
#include "drivers/standard_streams.hpp"

namespace tempera::drivers {

namespace {

struct DoctorOptions {
  int threads = 1;
};

void declare(OptionSchema& schema, DoctorOptions& options) {
  schema.example("mpirun -n 4 tempera doctor");
  schema.integer("threads", options.threads).minimum(1).maximum(1024).help("OpenMP threads of each MPI rank");
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

}  // namespace

int run_doctor(std::span<const std::string> arguments, const Launch& launch) {
  DoctorOptions options;
  OptionSchema schema("doctor", std::string(kDoctorSummary));
  declare(schema, options);
  if (parse_command_line(schema, arguments) == CommandLineOutcome::help) {
    if (launch.is_first()) print_result(help_text(schema));
    return 0;
  }
  return run_session(launch, [&](const Session& session) {
    const Communicator& world = session.world;
    set_threads(options.threads);
    const LaunchFacts facts = launch_facts(world);
    const Findings findings = collectively(world, [&] {
      Findings all = all_findings(world, launch, facts, options.threads);
      if (launch.is_first()) print_result(text_of(all));
      return all;
    });
    const bool failed = std::any_of(findings.begin(), findings.end(),
                                    [](const Finding& finding) { return finding.level == Finding::Level::fail; });
    return failed ? exit_status(Category::environment) : 0;
  });
}

std::vector<CommandSchema> doctor_schemas() {
  return {command_schema<DoctorOptions>("doctor", kDoctorSummary, declare)};
}

}  // namespace tempera::drivers
