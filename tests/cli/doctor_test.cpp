#include <gtest/gtest.h>

#include "drivers/commands/doctor/checks.hpp"
#include "drivers/machine/machine.hpp"
#include "tests/support/data.hpp"
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
  for (const char* topic : {"build", "processor", "memory", "MPI", "user", "cores", "BLAS", "HDF5", "NetCDF",
                            "ScaLAPACK", "bandwidth", "arithmetic"})
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

TEST(Doctor, SaysWhenTheMpirunOfAnotherMpiStartedIt) {
  test::ProcessSettings settings;
  settings.environment = {{"PMI_SIZE", "2"}, {"PMI_RANK", "0"}, {"MPI_LOCALNRANKS", "2"}};
  const auto result = test::tempera({"doctor"}, settings);
  EXPECT_EQ(result.status, 5) << result.out << result.err;
  EXPECT_TRUE(has_line(result.out, "FAIL  launcher    mpirun of MPICH started 2 processes, but ")) << result.out;
}

TEST(Doctor, NamesTwoMpiLibrariesInOneProcessBeforeMpiStarts) {
  test::ProcessSettings settings;
  settings.environment = {{"LD_PRELOAD", TEMPERA_OTHER_MPI}};
  const auto result = test::tempera({"doctor"}, settings);
  EXPECT_EQ(result.status, 5) << result.out << result.err;
  EXPECT_TRUE(has_line(result.out, "FAIL  MPI         2 MPI libraries are loaded into one process: ")) << result.out;
  EXPECT_EQ(occurrences(result.out, TEMPERA_OTHER_MPI " (MPICH or Intel MPI)"), 1) << result.out;
  EXPECT_EQ(occurrences(result.out, "mend: build tempera, HDF5, NetCDF and ScaLAPACK with one MPI"), 1) << result.out;
}

TEST(Doctor, KnowsMpiLibrariesByTheirFiles) {
  const auto found = drivers::loaded_mpi(
      "7f0-7f1 r-xp 00000000 08:01 1 /usr/lib/x86_64-linux-gnu/libmpi.so.40.30.4\n"
      "7f1-7f2 r--p 00000000 08:01 1 /usr/lib/x86_64-linux-gnu/libmpi.so.40.30.4\n"
      "7f2-7f3 r-xp 00000000 08:01 2 /opt/intel/mpi/lib/release/libmpi.so.12\n"
      "7f3-7f4 r-xp 00000000 08:01 3 /usr/lib/x86_64-linux-gnu/libmpich.so.12.2.1\n"
      "7f4-7f5 r-xp 00000000 08:01 4 /usr/lib/x86_64-linux-gnu/libmpi_cxx.so.40.30.1\n"
      "7f5-7f6 r-xp 00000000 08:01 5 /usr/lib/x86_64-linux-gnu/libboost_mpi.so.1.74.0\n"
      "7f6-7f7 rw-p 00000000 00:00 0 [heap]\n"
      "7f7-7f8 r-xp 00000000 08:01 6 /opt/cray/lib/libmpi_gnu_91.so.12.0.0\n");
  ASSERT_EQ(found.size(), 4U);
  EXPECT_EQ(found[0].vendor, "Open MPI");
  EXPECT_EQ(found[1].vendor, "MPICH or Intel MPI");
  EXPECT_EQ(found[2].vendor, "MPICH");
  EXPECT_EQ(found[3].vendor, "Cray MPICH");
}

TEST(Doctor, WarnsOfMoreThreadsThanCores) {
  const auto result = test::tempera({"doctor", "--threads", "1024"});
  EXPECT_EQ(occurrences(result.out, "WARN  cores "), 1) << result.out;
}

TEST(Doctor, MeasuresTheMachineThatPlansAreMadeFor) {
  test::TemporaryFolder folder;
  for (const int ranks : {0, 2}) {
    const auto file = folder.path() / ("machine-" + std::to_string(ranks) + ".toml");
    const std::vector<std::string> arguments = {"doctor", "--machine-file", file.string()};
    const auto result = ranks == 0 ? test::tempera(arguments) : test::tempera_ranks(ranks, arguments);
    EXPECT_EQ(result.status, 0) << result.out << result.err;
    const std::string text = test::read_text(file);
    EXPECT_EQ(occurrences(result.out, text), 1) << result.out;
    EXPECT_EQ(occurrences(text, "not measured"), ranks == 0 ? 4 : 2) << text;
    const drivers::Machine machine = drivers::read_machine(file);
    EXPECT_GE(machine.cores_per_node, 1);
    EXPECT_GT(machine.flops_per_core, 1e8);
    // The bandwidth of all cores is that of one, but for noise, or more.
    EXPECT_GT(machine.memory_bandwidth_per_node, 0.2 * machine.memory_bandwidth_per_core);
    EXPECT_LT(machine.memory_bandwidth_per_node,
              5 * machine.memory_bandwidth_per_core * static_cast<double>(machine.cores_per_node));
    const auto again = test::tempera(arguments);
    EXPECT_EQ(again.status, 5) << "a file that someone may have edited is not replaced";
    EXPECT_EQ(again.err, "tempera: error: " + file.string() +
                             ": the file exists already, perhaps with someone's own figures\n"
                             "hint: give another name, or remove it\n");
    EXPECT_EQ(test::read_text(file), text);
  }
}

}  // namespace
}  // namespace tempera
