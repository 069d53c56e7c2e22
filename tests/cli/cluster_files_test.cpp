// What cluster/ tells people and other tools: the commands of mpirun.md are run as they stand there, the module file, the
// Spack recipe and the container recipes are held to this build.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <regex>
#include <set>
#include <thread>

#include "core/base/build_info.hpp"
#include "core/base/text.hpp"
#include "drivers/launch.hpp"
#include "tests/support/data.hpp"
#include "tests/support/process.hpp"

namespace tempera {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

const fs::path kCluster = TEMPERA_SOURCE_DIR "/cluster";

bool is_there(const std::string& program) {
  return test::run_process({"sh", "-c", "command -v " + program}).status == 0;
}

/// The indented lines that are commands for one machine: others name hosts and hardware that are not here.
std::vector<std::string> commands_for_one_machine() {
  const std::string text = test::read_text(kCluster / "mpirun.md");
  const std::regex command("^    (tempera|mpirun|mpiexec|printf) .*");
  const std::regex elsewhere("hosts -n 32|several_hosts|ucx|eth0");
  std::vector<std::string> found;
  for (const std::string_view line : split(text, '\n')) {
    const std::string whole(line);
    if (std::regex_match(whole, command) && !std::regex_search(whole, elsewhere)) found.push_back(whole.substr(4));
  }
  return found;
}

TEST(MpirunGuide, EveryCommandForOneMachineWorksAsItStands) {
  if (!drivers::mpi_library_name().starts_with("Open MPI")) GTEST_SKIP() << "the page is written for Open MPI";
  const test::TemporaryFolder folder;
  fs::create_directory_symlink(kCluster / "hostfiles", folder / "hostfiles");
  test::ProcessSettings settings;
  test::tempera_command(2, {}, settings);  // what allows mpirun as root
  settings.folder = folder.path();
  const std::string executable = fs::path(test::tempera_executable()).parent_path().string();
  settings.environment.emplace_back("PATH", executable + ":" + std::getenv("PATH"));
  settings.environment.emplace_back("OMPI_MCA_hwloc_base_use_hwthreads_as_cpus", "1");  // two of one core will do
  const std::vector<std::string> commands = commands_for_one_machine();
  EXPECT_GE(commands.size(), 14U);
  for (const std::string& command : commands) {
    if (std::thread::hardware_concurrency() < 2 && command.find("PE=2") != std::string::npos) continue;
    const auto result = test::run_process({"bash", "-c", command}, settings);
    EXPECT_EQ(result.status, 0) << command << "\n" << result.out << result.err;
  }
}

TEST(ModuleFile, IsOfThisVersionAndSetsItsPathsBelowOneFolder) {
  const fs::path module = kCluster / "modules/tempera" / (std::string(build_info().version) + ".lua");
  ASSERT_TRUE(fs::exists(module)) << module << ": the installation names it by the version";
  EXPECT_EQ(test::occurrences(test::read_text(module), "\"/opt/tempera/" + std::string(build_info().version) + "\""),
            1);
  const std::string lua = is_there("lua") ? "lua" : "lua5.4";
  if (!is_there(lua)) GTEST_SKIP() << "lua is not installed: the module file is not run";
  const test::TemporaryFolder folder;
  const fs::path lmod = test::write_text(folder / "lmod.lua",
                                         "function help() end function whatis() end function conflict() end\n"
                                         "function pathJoin(a, b) return a .. '/' .. b end\n"
                                         "function prepend_path(name, path) print(name .. '=' .. path) end\n"
                                         "setenv = prepend_path\ndofile(arg[1])\n");
  const auto result = test::run_process({lua, lmod.string(), module.string()});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("PATH=/opt/tempera/0.1.0/bin\n"));
  EXPECT_THAT(result.out, HasSubstr("MANPATH=/opt/tempera/0.1.0/share/man\n"));
  EXPECT_THAT(result.out, HasSubstr("CMAKE_PREFIX_PATH=/opt/tempera/0.1.0\n"));
}

TEST(SpackRecipe, IsPython) {
  if (!is_there("python3")) GTEST_SKIP() << "python3 is not installed: the recipe is not parsed";
  const std::string recipe = (kCluster / "spack/packages/tempera/package.py").string();
  const auto result =
      test::run_process({"python3", "-c", "import ast, sys; ast.parse(open(sys.argv[1]).read())", recipe});
  EXPECT_EQ(result.status, 0) << result.err;
}

std::set<std::string> matches(const std::string& text, const std::string& pattern) {
  const std::regex expression(pattern);
  std::set<std::string> found;
  for (std::sregex_iterator at(text.begin(), text.end(), expression); at != std::sregex_iterator(); ++at)
    found.insert(at->str(1));
  return found;
}

TEST(Containers, InstallTheOneListAndRunAsAPerson) {
  const std::string docker = test::read_text(kCluster / "containers/Dockerfile");
  const std::string apptainer = test::read_text(kCluster / "containers/tempera.def");
  for (const std::string* recipe : {&docker, &apptainer}) {
    EXPECT_THAT(*recipe, HasSubstr("setup.sh deps")) << "the stage that builds";
    EXPECT_THAT(*recipe, HasSubstr("cpack -G DEB")) << "what the build leaves is a package";
    EXPECT_THAT(*recipe, HasSubstr("install -y --no-install-recommends /")) << "and brings its libraries along";
    EXPECT_EQ(test::occurrences(*recipe, "libopenmpi"), 0) << "a second list of packages";
    EXPECT_THAT(*recipe, HasSubstr("OPENBLAS_NUM_THREADS"));
  }
  EXPECT_EQ(test::occurrences("\n" + docker, "\nFROM "), 2);
  EXPECT_EQ(test::occurrences("\n" + apptainer, "\nStage: "), 2);
  EXPECT_EQ(matches(docker, "\nFROM ([^ \n]+)"), matches(apptainer, "\nFrom: ([^ \n]+)")) << "the same base";
  EXPECT_EQ(matches(docker, " (-D[^ \n]+)"), matches(apptainer, " (-D[^ \n]+)")) << "the same build";
  const std::size_t last_stage = docker.rfind("\nFROM ");
  EXPECT_THAT(docker.substr(last_stage), HasSubstr("\nUSER tempera\n"));
}

/// The settings of MPI after %environment of the Apptainer recipe, read below `launcher`.
std::string transports_in_container(std::vector<std::string> launcher, const std::string& before = {}) {
  const std::string recipe = test::read_text(kCluster / "containers/tempera.def");
  const std::size_t begin = recipe.find("\n%environment\n") + std::string("\n%environment\n").size();
  const std::string section = recipe.substr(begin, recipe.find("\n%", begin) - begin);
  const std::string show = "\necho \"$OMPI_MCA_btl_vader_single_copy_mechanism $UCX_TLS $UCX_POSIX_USE_PROC_LINK\"";
  test::ProcessSettings settings;
  for (const char* name : {"OMPI_MCA_btl_vader_single_copy_mechanism", "UCX_TLS", "UCX_POSIX_USE_PROC_LINK"})
    settings.environment.emplace_back(name, std::nullopt);
  launcher.insert(launcher.end(), {"sh", "-ec", before + "\n" + section + show});
  const auto result = test::run_process(launcher, settings);
  EXPECT_EQ(result.status, 0) << result.err;
  return result.out;
}

TEST(Containers, CopyThroughSharedMemoryWhereEachRankHasItsOwnUserNamespace) {
  if (test::read_text("/proc/self/uid_map").find("4294967295") != std::string::npos) {
    EXPECT_EQ(transports_in_container({}), "  \n") << "ranks of one namespace keep the faster way";
  }
  const std::vector<std::string> separated{"unshare", "--user", "--map-root-user"};
  if (test::run_process({"unshare", "--user", "--map-root-user", "true"}).status != 0)
    GTEST_SKIP() << "user namespaces are forbidden here: the separated ranks are not tried";
  EXPECT_EQ(transports_in_container(separated), "none ^cma n\n");
  EXPECT_EQ(transports_in_container(separated, "export UCX_TLS=rc,sm"), "none rc,sm n\n")
      << "what the caller set stays";
}

}  // namespace
}  // namespace tempera
