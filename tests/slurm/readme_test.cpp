#include <fstream>

#include "tests/slurm/local_slurm.hpp"

namespace tempera::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

/// The indented lines of a README.
std::string commands_of(const fs::path& readme) {
  std::string commands;
  std::ifstream file(readme);
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("    ")) commands += line.substr(4) + "\n";
  return commands;
}

/// In a checkout, with its build, as far as the commands look at it.
TEST_F(SlurmJobs, TheFiveCommandsOfTheReadmeLeadToAFinishedJob) {
  const fs::path source = TEMPERA_SOURCE_DIR;
  const std::string commands = commands_of(source / "cluster/slurm/README.md");
  ASSERT_EQ(occurrences(commands, "\n"), 5) << commands;
  fs::create_directory_symlink(source / "cluster", folder_ / "cluster");
  fs::create_directory_symlink(fs::path(tempera_executable()).parent_path(), folder_ / "build");
  fs::create_directory(folder_ / "home");
  ProcessSettings settings;
  settings.folder = folder_.path();
  settings.seconds = 240;
  settings.environment = {{"XDG_RUNTIME_DIR", (folder_ / "home").string()}, {"SLURM_CONF", std::nullopt}};
  for (const char* name : {"OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM",
                           "OMPI_MCA_rmaps_base_oversubscribe", "OMPI_MCA_mpi_yield_when_idle"})
    settings.environment.emplace_back(name, std::nullopt);
  const auto result = run_process({"bash", "-e", "-c", commands}, settings);
  const auto down = run_process({"bash", "-c", "cluster/local_slurm/down"}, settings);
  ASSERT_EQ(result.status, 0) << result.out << result.err;
  EXPECT_EQ(down.status, 0) << down.err;
  EXPECT_THAT(result.out, HasSubstr("Submitted batch job 1\n"));
  EXPECT_THAT(result.out, HasSubstr("\n  state       finished\n")) << "status";
  EXPECT_THAT(result.out, HasSubstr("\nlog evidence ")) << "what the job printed";
  EXPECT_EQ(json("runs/first/manifest.json").at("mpi_ranks"), 4);
  EXPECT_FALSE(fs::exists(folder_ / "home/tempera-slurm"));
}

}  // namespace
}  // namespace tempera::test
