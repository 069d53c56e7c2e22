#include <gtest/gtest.h>

#include "tests/support/process.hpp"

namespace tempera {
namespace {

using test::occurrences;

bool has_line(const std::string& text, const std::string& start) {
  return occurrences("\n" + text, "\n" + start) == 1;
}

TEST(Doctor, ReportsEveryPartOfTheMachineOnOneRank) {
  const auto result = test::tempera({"doctor"});
  EXPECT_EQ(result.status, 0) << result.out << result.err;
  for (const char* topic :
       {"build", "processor", "memory", "MPI", "user", "cores", "BLAS", "HDF5", "NetCDF", "ScaLAPACK", "bandwidth", "arithmetic"})
    EXPECT_EQ(occurrences(result.out, std::string("  ") + topic + " "), 1) << topic << "\n" << result.out;
  EXPECT_EQ(occurrences(result.out, "FAIL"), 0);
  EXPECT_TRUE(has_line(result.out, "OK    ScaLAPACK   PDPOTRF of order 600 on 1 x 1 ranks, largest error "));
}

TEST(Doctor, IsPrintedOnceUnderMpirunAndChecksScalapackOnAllRanks) {
  const auto result = test::tempera_ranks(4, {"doctor"});
  EXPECT_EQ(result.status, 0) << result.out << result.err;
  EXPECT_TRUE(has_line(result.out, "OK    ScaLAPACK   PDPOTRF of order 600 on 2 x 2 ranks, largest error "))
      << result.out;
  EXPECT_EQ(occurrences(result.out, " findings: "), 1);
  EXPECT_EQ(occurrences(result.out, " a rank, all ranks at once\n"), 2);
}

TEST(Doctor, SaysWhenSrunDidNotConnectItsTasks) {
  test::ProcessSettings settings;
  settings.environment = {{"SLURM_STEP_NUM_TASKS", "2"}, {"SLURM_PROCID", "0"}};
  const auto result = test::tempera({"doctor"}, settings);
  EXPECT_TRUE(has_line(result.out, "WARN  launcher    srun started several tasks, but MPI sees one process in each\n"))
      << result.out;
  EXPECT_EQ(occurrences(result.out, "mend: use 'srun --mpi=pmix'"), 1);
}

TEST(Doctor, WarnsOfMoreThreadsThanCores) {
  const auto result = test::tempera({"doctor", "--threads", "1024"});
  EXPECT_EQ(occurrences(result.out, "WARN  cores "), 1) << result.out;
}

}  // namespace
}  // namespace tempera
