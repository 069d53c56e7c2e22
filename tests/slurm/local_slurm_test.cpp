#include "tests/slurm/local_slurm.hpp"

#include <csignal>
#include <fstream>
#include <set>
#include <sstream>

#include "tests/support/running_process.hpp"

namespace tempera::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

/// Addresses, as the kernel writes them, on which somebody listens at this port.
std::set<std::string> listening_at(int port) {
  std::set<std::string> addresses;
  for (const char* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    std::ifstream file(table);
    for (std::string line; std::getline(file, line);) {
      std::istringstream fields(line);
      std::string number, local, remote, state;
      fields >> number >> local >> remote >> state;
      const auto colon = local.find(':');
      if (state == "0A" && std::stoi(local.substr(colon + 1), nullptr, 16) == port)
        addresses.insert(local.substr(0, colon));
    }
  }
  return addresses;
}

std::vector<int> ports_in(const std::string& configuration) {
  std::vector<int> ports;
  for (std::size_t at = 0; (at = configuration.find("Port=", at)) != std::string::npos; at += 5)
    ports.push_back(std::stoi(configuration.substr(at + 5)));
  return ports;
}

/// Empty of one that has ended, whether or not somebody has waited for it.
std::string environment_of(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/environ");
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Beside the Slurm that the other tests use.
TEST_F(SlurmJobs, TwoSlurmsLiveOnOneMachineAndDownEndsOneOfThemAlone) {
  LocalSlurm other({"--nodes", "3", "--cpus", "1"});
  ASSERT_EQ(other.started().status, 0) << other.started().err;
  EXPECT_EQ(other.started().out, "export SLURM_CONF=" + (other.folder() / "slurm.conf").string() + "\n");
  EXPECT_EQ(other.up().out, other.started().out) << "it is up already";
  EXPECT_THAT(other.up().err, StartsWith("local_slurm: is up already"));
  const auto nodes = run_process({"sinfo", "--noheader", "--Node", "--format=%N %T %c"}, other.settings());
  EXPECT_EQ(nodes.out, "n1 idle 1\nn2 idle 1\nn3 idle 1\n");

  const auto ports = ports_in(read_text(other.folder() / "slurm.conf"));
  ASSERT_EQ(ports.size(), 4u);
  for (const int port : ports)
    EXPECT_EQ(listening_at(port), std::set<std::string>{"0100007F"}) << port << ": 127.0.0.1, nothing else";

  std::vector<pid_t> processes;
  for (const char* name : {"munged", "slurmctld", "slurmd-n1", "slurmd-n2", "slurmd-n3"})
    processes.push_back(other.process_of(name));
  const auto job = run_process({"sbatch", "--wrap", "sleep 600"}, other.settings());
  EXPECT_EQ(job.status, 0) << job.err;
  const auto down = other.down();
  EXPECT_EQ(down.status, 0) << down.err;
  for (const pid_t process : processes) EXPECT_EQ(environment_of(process), "") << process;
  EXPECT_FALSE(std::filesystem::exists(other.folder()));
  EXPECT_THAT(other.down().err, HasSubstr("nothing is up in ")) << "again does no harm";
  EXPECT_EQ(run({"sinfo", "--noheader", "--format=%T %D"}).out, "idle 2\n") << "the first one lives";
}

TEST_F(SlurmJobs, DownEndsTheJobsOfNodesThatWereKilled) {
  LocalSlurm other({"--nodes", "1", "--cpus", "1"});
  ASSERT_EQ(other.started().status, 0) << other.started().err;
  const std::string pid_file = path("pid").string();
  const auto job = run_process({"sbatch", "--output=/dev/null", "--wrap", "echo $$ >" + pid_file + "; sleep 600; true"},
                               other.settings());
  EXPECT_EQ(job.status, 0) << job.err;
  ASSERT_TRUE(wait_for_lines("pid", "\n", 1));
  const pid_t process = std::stoi(text("pid"));
  ASSERT_EQ(::kill(other.process_of("slurmd-n1"), SIGKILL), 0);
  ASSERT_FALSE(environment_of(process).empty()) << "it goes on";
  EXPECT_EQ(other.down().status, 0);
  EXPECT_TRUE(wait_until([&] { return environment_of(process).empty(); }, 30));
}

TEST_F(SlurmJobs, RanksRunOnBothNodes) {
  const auto result = run({"sbatch", "--parsable", "--nodes=2", "--ntasks-per-node=2", "--output=where", "--wrap",
                           "mpirun printenv SLURMD_NODENAME"});
  ASSERT_EQ(state_at_end(result.out.substr(0, result.out.size() - 1)), "COMPLETED") << text("where");
  EXPECT_EQ(occurrences(text("where"), "n1\n"), 2) << text("where");
  EXPECT_EQ(occurrences(text("where"), "n2\n"), 2) << text("where");
}

}  // namespace
}  // namespace tempera::test
