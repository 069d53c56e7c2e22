#include "core/base/memory.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "tests/support/data.hpp"

namespace tempera {
namespace {

constexpr double kNoLimit = std::numeric_limits<double>::infinity();

class MemoryOfGroups : public testing::Test {
 protected:
  void group(const std::string& path, const std::string& limit, const std::string& use, const std::string& cache) {
    const auto folder = folder_ / path;
    std::filesystem::create_directories(folder);
    test::write_text(folder / "memory.max", limit + "\n");
    test::write_text(folder / "memory.current", use + "\n");
    test::write_text(folder / "memory.stat", "anon 5\nfile 99\ninactive_file " + cache + "\nactive_file 7\n");
  }
  double left(const std::string& membership) {
    test::write_text(folder_ / "membership", membership);
    return memory_left_in_groups(folder_ / "membership", folder_.path());
  }
  test::TemporaryFolder folder_;
};

TEST_F(MemoryOfGroups, IsWhatTheOwnGroupLeavesWithItsCache) {
  group("slurm/job_7/step_0", "1000", "700", "50");
  EXPECT_EQ(left("0::/slurm/job_7/step_0\n"), 350);
  EXPECT_EQ(left("0::/elsewhere\n"), kNoLimit);
  group("slurm/job_7/step_0", "1000", "1200", "50");
  EXPECT_EQ(left("0::/slurm/job_7/step_0\n"), 0);
}

TEST_F(MemoryOfGroups, IsBoundByTheGroupsAround) {
  group("slurm/job_7/step_0/task_1", "max", "10", "0");
  group("slurm/job_7", "500", "300", "20");
  group("slurm", "10000", "300", "20");
  EXPECT_EQ(left("0::/slurm/job_7/step_0/task_1\n"), 220);
}

TEST_F(MemoryOfGroups, OfAContainerIsFoundAtTheMount) {
  group("", "800", "300", "0");
  EXPECT_EQ(left("0::/\n"), 500);
  EXPECT_EQ(left("0::/docker/3f2a\n"), 500) << "the path of the host is not mounted inside";
  EXPECT_EQ(left("0::/../../slurm\n"), 500);
}

TEST_F(MemoryOfGroups, KnowsVersionOne) {
  const auto folder = folder_ / "memory/slurm/uid_0";
  std::filesystem::create_directories(folder);
  test::write_text(folder / "memory.limit_in_bytes", "600\n");
  test::write_text(folder / "memory.usage_in_bytes", "500\n");
  test::write_text(folder / "memory.stat", "cache 90\ninactive_file 1\ntotal_inactive_file 30\n");
  EXPECT_EQ(left("12:cpu,cpuacct:/slurm\n4:memory:/slurm/uid_0\n0::/\n"), 130);
}

TEST_F(MemoryOfGroups, WithoutGroupsThereIsNoLimit) {
  EXPECT_EQ(left(""), kNoLimit);
  EXPECT_EQ(left("nonsense\n0:\n0::\n"), kNoLimit);
  EXPECT_EQ(memory_left_in_groups(folder_ / "absent", folder_.path()), kNoLimit);
}

TEST_F(MemoryOfGroups, AvailableMemoryIsPositiveAndNoMoreThanThereIs) {
  EXPECT_GT(available_memory(), 0);
  EXPECT_LE(available_memory(), total_memory());
}

}  // namespace
}  // namespace tempera
