#include "drivers/machine/machine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/base/atomic_file.hpp"
#include "core/base/error.hpp"
#include "tests/support/data.hpp"

namespace tempera::drivers {
namespace {

using testing::HasSubstr;

class MachineFile : public testing::Test {
 protected:
  std::filesystem::path written(const std::string& text) const {
    const auto file = folder_.path() / "machine.toml";
    write_file_atomically(file, text);
    return file;
  }
  std::string refusal(const std::string& text) const {
    try {
      read_machine(written(text));
    } catch (const Error& error) {
      return error.message();
    }
    return {};
  }
  test::TemporaryFolder folder_;
};

TEST_F(MachineFile, IsReadAsItWasWritten) {
  Machine machine;
  machine.cores_per_node = 7;
  machine.memory_per_node = 1.5e10;
  machine.flops_per_core = 4e9;
  machine.memory_bandwidth_per_core = 2e9;
  machine.memory_bandwidth_per_node = 8e9;
  machine.node_latency = 3e-7;
  machine.node_bandwidth = 1e9;
  machine.network_latency = 5e-5;
  machine.network_bandwidth = 1.25e8;
  const std::string text = machine_text(machine, {"network-latency"});
  const Machine read = read_machine(written(text));
  EXPECT_EQ(read.cores_per_node, 7);
  EXPECT_EQ(read.memory_per_node, 1.5e10);
  EXPECT_EQ(read.flops_per_core, 4e9);
  EXPECT_EQ(read.memory_bandwidth_per_core, 2e9);
  EXPECT_EQ(read.memory_bandwidth_per_node, 8e9);
  EXPECT_EQ(read.node_latency, 3e-7);
  EXPECT_EQ(read.node_bandwidth, 1e9);
  EXPECT_EQ(read.network_latency, 5e-5);
  EXPECT_EQ(read.network_bandwidth, 1.25e8);
  EXPECT_THAT(text, HasSubstr("two nodes; not measured, a middling value"));
}

TEST_F(MachineFile, KeepsTheDefaultOfAKeyThatIsNotThere) {
  const Machine read = read_machine(written("cores-per-node = 3\n"));
  EXPECT_EQ(read.cores_per_node, 3);
  EXPECT_EQ(read.network_bandwidth, Machine{}.network_bandwidth);
}

TEST_F(MachineFile, IsReadStrictly) {
  EXPECT_THAT(refusal("cores-per-node = 4\nnetwork-latencies = 1e-6\n"),
              testing::AllOf(HasSubstr("machine.toml:2"), HasSubstr("network-latency")));
  EXPECT_THAT(refusal("\n\nnode-latency = 0\n"), testing::AllOf(HasSubstr("machine.toml:3"), HasSubstr("above 0")));
  EXPECT_THAT(refusal("cores-per-node = 4.5\n"), HasSubstr("machine.toml:1"));
  EXPECT_THAT(refusal("flops-per-core = \"fast\"\n"), HasSubstr("machine.toml:1"));
  EXPECT_THAT(refusal("flops-per-core = \n"), HasSubstr("machine.toml:1"));
}

}  // namespace
}  // namespace tempera::drivers
