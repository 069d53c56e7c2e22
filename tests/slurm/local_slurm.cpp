#include "tests/slurm/local_slurm.hpp"

#include <cstdlib>
#include <sstream>

#include "tests/support/running_process.hpp"

namespace tempera::test {

namespace {

const std::filesystem::path kSource = TEMPERA_SOURCE_DIR;

Arguments with(Arguments arguments, const Arguments& more) {
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

bool is_over(const std::string& state) {
  for (const char* over : {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY", "BOOT_FAIL"})
    if (state == over) return true;
  return false;
}

}  // namespace

LocalSlurm::LocalSlurm(const Arguments& options) : started_(up(options)) {}

LocalSlurm::~LocalSlurm() {
  down();
}

LocalSlurm& LocalSlurm::shared() {
  static LocalSlurm slurm;
  return slurm;
}

ProcessSettings LocalSlurm::settings() const {
  const std::string programs = std::filesystem::path(tempera_executable()).parent_path().string();
  ProcessSettings settings;
  settings.environment = {{"SLURM_CONF", (folder() / "slurm.conf").string()},
                          {"PATH", programs + ":" + std::getenv("PATH")}};
  // As root the launcher has to be allowed by the local Slurm, not by the environment of the tests.
  for (const char* name : {"OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM",
                           "OMPI_MCA_rmaps_base_oversubscribe", "OMPI_MCA_mpi_yield_when_idle"})
    settings.environment.emplace_back(name, std::nullopt);
  return settings;
}

ProcessResult LocalSlurm::up(const Arguments& options) const {
  return run_process(with({(kSource / "cluster/local_slurm/up").string(), "--folder", folder().string()}, options));
}

ProcessResult LocalSlurm::down() const {
  return run_process({(kSource / "cluster/local_slurm/down").string(), folder().string()});
}

pid_t LocalSlurm::process_of(const std::string& name) const {
  const std::filesystem::path file = folder() / (name + ".pid");
  return std::filesystem::exists(file) ? std::stoi(read_text(file)) : 0;
}

void SlurmJobs::SetUp() {
  const ProcessResult& started = LocalSlurm::shared().started();
  if (started.status == 5) GTEST_SKIP() << started.err;
  ASSERT_EQ(started.status, 0) << started.err;
}

void SlurmJobs::TearDown() {
  if (LocalSlurm::shared().started().status != 0) return;
  run({"scancel", "--partition=local"});
  EXPECT_TRUE(wait_until([&] { return run({"squeue", "--noheader"}).out.empty(); }, 60));
}

ProcessResult SlurmJobs::run(const Arguments& command, double seconds) const {
  ProcessSettings settings = LocalSlurm::shared().settings();
  settings.folder = folder_.path();
  settings.seconds = seconds;
  return run_process(command, settings);
}

std::string SlurmJobs::submit(const std::string& name, const Arguments& options, const Arguments& arguments) const {
  const std::string script = (kSource / "cluster/slurm" / (name + ".sbatch")).string();
  const auto result = run(with(with(with({"sbatch", "--parsable"}, options), {script}), arguments));
  EXPECT_EQ(result.status, 0) << result.err;
  return result.out.substr(0, result.out.find_first_of(";\n"));
}

std::string SlurmJobs::field(const std::string& job, const std::string& name) const {
  std::istringstream words(run({"scontrol", "show", "job", job}).out);
  for (std::string word; words >> word;)
    if (word.starts_with(name + "=")) return word.substr(name.size() + 1);
  return "";
}

std::string SlurmJobs::state_at_end(const std::string& job, double seconds) const {
  std::string state;
  const bool over = wait_until([&] { return is_over(state = field(job, "JobState")); }, seconds);
  return over ? state : "still " + state;
}

bool SlurmJobs::wait_for_restart(const std::string& job, int times, double seconds) const {
  return wait_until([&] { return field(job, "Restarts") == std::to_string(times); }, seconds);
}

bool SlurmJobs::wait_for_lines(const std::string& name, const std::string& part, int count, double seconds) const {
  return wait_until([&] { return occurrences(text(name), part) >= count; }, seconds);
}

std::string SlurmJobs::text(const std::string& name) const {
  return std::filesystem::exists(path(name)) ? read_text(path(name)) : "";
}

}  // namespace tempera::test
