#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/data.hpp"
#include "tests/support/process.hpp"

namespace tempera::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::StartsWith;

const fs::path kSource = TEMPERA_SOURCE_DIR;

/// What a shell reads, by its first line or its name.
std::vector<std::string> scripts() {
  std::vector<std::string> found;
  for (const char* folder : {"cluster", ".ci", "drivers/studies"})
    for (const auto& entry : fs::recursive_directory_iterator(kSource / folder)) {
      if (!entry.is_regular_file()) continue;
      std::string first;
      std::ifstream file(entry.path());
      std::getline(file, first);
      if (entry.path().extension() == ".sh" || (first.starts_with("#!") && first.ends_with("sh")))
        found.push_back(entry.path().string());
    }
  return found;
}

TEST(BatchScripts, AreReadByBashWithoutComplaint) {
  const auto all = scripts();
  ASSERT_GE(all.size(), 9u) << "setup.sh, .ci/run, four templates, tempera-batch, up and down at least";
  for (const std::string& script : all) {
    const auto result = run_process({"bash", "-n", script});
    EXPECT_EQ(result.status, 0) << result.err;
  }
}

TEST(BatchScripts, PassShellcheck) {
  if (run_process({"sh", "-c", "command -v shellcheck"}).status != 0) GTEST_SKIP() << "shellcheck is not installed";
  std::vector<std::string> command = {"shellcheck", "--external-sources"};
  for (const std::string& script : scripts()) command.push_back(script);
  const auto result = run_process(command);
  EXPECT_EQ(result.status, 0) << result.out << result.err;
}

TEST(BatchScripts, TemplatesHaveThreeLinesToEdit) {
  for (const char* name : {"decompose", "sample", "study", "optimize_array"}) {
    const std::string text = read_text(kSource / "cluster/slurm" / (std::string(name) + ".sbatch"));
    EXPECT_EQ(occurrences(text, "# EDIT"), 3) << name;
    for (const char* option : {"#SBATCH --account=", "#SBATCH --time=", "#SBATCH --nodes="})
      EXPECT_EQ(occurrences(text, option), 1) << name;
  }
}

class BatchLocalSlurm : public testing::Test {
 protected:
  ProcessResult run(const std::string& script, const std::vector<std::string>& arguments,
                    const std::string& path = "") const {
    std::vector<std::string> command = {"/usr/bin/env", "bash", (kSource / "cluster/local_slurm" / script).string()};
    command.insert(command.end(), arguments.begin(), arguments.end());
    ProcessSettings settings;
    settings.environment = {{"XDG_RUNTIME_DIR", folder_.path().string()}};
    if (!path.empty()) settings.environment.emplace_back("PATH", path);
    return run_process(command, settings);
  }

  TemporaryFolder folder_;
};

TEST_F(BatchLocalSlurm, SaysWhatToInstallWhereSlurmIsMissing) {
  fs::create_directory(folder_ / "bin");
  for (const char* tool : {"bash", "id", "realpath", "dirname", "cat"})
    for (const char* folder : {"/usr/bin", "/bin"})
      if (fs::exists(fs::path(folder) / tool) && !fs::exists(folder_ / "bin" / tool))
        fs::create_symlink(fs::path(folder) / tool, folder_ / "bin" / tool);
  const auto result = run("up", {}, (folder_ / "bin").string());
  EXPECT_EQ(result.status, 5);
  EXPECT_EQ(result.out, "") << "nothing for eval";
  EXPECT_THAT(result.err, StartsWith("local_slurm: error: Slurm is not installed: there is no "));
  EXPECT_THAT(result.err, HasSubstr("\nhint: apt-get install slurm-wlm munge\n"));
  EXPECT_FALSE(fs::exists(folder_ / "tempera-slurm"));
}

TEST_F(BatchLocalSlurm, RefusesWhatItDoesNotUnderstand) {
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {"--nodes", "0"}, {"--nodes", "-1"}, {"--cpus", "two"}, {"--nodes"}, {"--nods", "2"}, {"2"}}) {
    const auto result = run("up", arguments);
    EXPECT_EQ(result.status, 2) << arguments[0];
    EXPECT_EQ(result.out, "");
  }
  EXPECT_EQ(run("up", {"--nodes", "0"}).err, "local_slurm: error: --nodes: '0' is no number from 1 to 999\n");
  EXPECT_EQ(run("down", {"--now"}).status, 2);
}

TEST_F(BatchLocalSlurm, DownRemovesNoFolderButItsOwn) {
  fs::create_directory(folder_ / "mine");
  write_text(folder_ / "mine/thesis.tex", "\\documentclass{book}");
  const auto refused = run("down", {(folder_ / "mine").string()});
  EXPECT_EQ(refused.status, 2);
  EXPECT_EQ(refused.err, "local_slurm: error: " + fs::canonical(folder_ / "mine").string() +
                             " is not the folder of a local Slurm of yours\n");
  EXPECT_TRUE(fs::exists(folder_ / "mine/thesis.tex"));
  const auto nothing = run("down", {});
  EXPECT_EQ(nothing.status, 0);
  EXPECT_THAT(nothing.err, StartsWith("local_slurm: nothing is up in "));
}

}  // namespace
}  // namespace tempera::test
