#include "drivers/launch.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "core/base/error.hpp"

namespace tempera::drivers {
namespace {

using Variables = std::vector<std::pair<std::string, std::string>>;

/// Sets variables of this process for one test; all that launchers set are removed before and after.
class Environment {
 public:
  explicit Environment(const Variables& variables) {
    clear();
    for (const auto& [name, value] : variables) setenv(name.c_str(), value.c_str(), 1);
  }
  ~Environment() { clear(); }

 private:
  static void clear() {
    for (const char* name :
         {"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMIX_NAMESPACE", "PMI_RANK", "PMI_SIZE",
          "PMI_FD", "PMI_PORT", "HYDI_CONTROL_FD", "SLURM_PROCID", "SLURM_STEP_NUM_TASKS"})
      unsetenv(name);
  }
};

TEST(Launch, RankComesFromTheLauncherThatStartedTheProcess) {
  {
    const Environment none(Variables{});
    EXPECT_EQ(read_launch().rank, 0);
  }
  {
    const Environment mpirun_in_a_batch_step(Variables{{"SLURM_PROCID", "0"}, {"OMPI_COMM_WORLD_RANK", "3"}});
    EXPECT_EQ(read_launch().rank, 3);
  }
  {
    const Environment srun(Variables{{"SLURM_PROCID", "5"}});
    EXPECT_EQ(read_launch().rank, 5);
  }
  {
    const Environment nonsense(Variables{{"PMI_RANK", "x"}});
    EXPECT_EQ(read_launch().rank, 0);
  }
}

TEST(Launch, TheMpirunOfAnotherMpiIsRefusedAsItsProcessesWouldAllDoTheSameWork) {
  const Environment mpich(Variables{{"PMI_SIZE", "4"}, {"PMI_RANK", "1"}, {"PMI_FD", "9"}, {"HYDI_CONTROL_FD", "7"}});
  const Launch launch = read_launch();
  EXPECT_EQ(launch.launcher, "mpirun of MPICH");
  EXPECT_EQ(launch.rank, 1);
  EXPECT_NO_THROW(refuse_unconnected(launch, 4));
  try {
    refuse_unconnected(launch, 1);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(exit_status(error.category()), 5);
    EXPECT_EQ(error.message(), "tempera: error: mpirun of MPICH started 4 processes, but the MPI of this program, " +
                                   mpi_library_name() + ", sees a single one in each of them\n" +
                                   "hint: start it with the mpirun of that MPI; 'tempera doctor' names the libraries");
  }
}

TEST(Launch, OneProcessOfAnyLauncherIsFine) {
  const Environment mpich(Variables{{"PMI_SIZE", "1"}, {"PMI_RANK", "0"}, {"PMI_FD", "9"}});
  EXPECT_NO_THROW(refuse_unconnected(read_launch(), 1));
}

TEST(Launch, SrunWithoutAProcessManagerIsRefusedWithTheMend) {
  const Environment srun(Variables{{"SLURM_STEP_NUM_TASKS", "4"}, {"SLURM_PROCID", "0"}});
  try {
    refuse_unconnected(read_launch(), 1);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(exit_status(error.category()), 5);
    EXPECT_EQ(error.message(),
              "tempera: error: srun started 4 tasks, but MPI sees a single process in each of them\n"
              "hint: use 'srun --mpi=pmix' ('srun --mpi=list' shows what there is), or mpirun inside sbatch");
  }
  EXPECT_NO_THROW(refuse_unconnected(read_launch(), 4));
}

TEST(Launch, SrunWithPmixMpirunInAnAllocationAndASingleTaskAreAccepted) {
  const Variables accepted[] = {{{"SLURM_STEP_NUM_TASKS", "4"}, {"PMIX_RANK", "0"}},
                                {{"SLURM_STEP_NUM_TASKS", "4"}, {"PMI_RANK", "0"}},
                                {{"SLURM_STEP_NUM_TASKS", "4"}, {"OMPI_COMM_WORLD_SIZE", "1"}},
                                {{"SLURM_STEP_NUM_TASKS", "1"}},
                                {}};
  for (const auto& variables : accepted) {
    const Environment environment(variables);
    EXPECT_NO_THROW(refuse_unconnected(read_launch(), 1));
  }
}

TEST(Launch, WarnsOnlyWhereCoresAreShared) {
  using Texts = std::vector<std::string>;
  EXPECT_EQ(launch_warnings({4, 4, 4}, 1), Texts{});
  EXPECT_EQ(launch_warnings({2, 8, 4}, 4), Texts{});
  EXPECT_EQ(launch_warnings({4, 2, 2}, 1),
            Texts{"4 MPI ranks with 1 thread each share 2 cores of a node and slow each other down; "
                  "use fewer ranks or --threads"});
  EXPECT_EQ(launch_warnings({2, 4, 4}, 3),
            Texts{"2 MPI ranks with 3 threads each share 4 cores of a node and slow each other down; "
                  "use fewer ranks or --threads"});
  const bool open_mpi = mpi_library_name().starts_with("Open MPI");
  EXPECT_EQ(launch_warnings({2, 8, 1}, 4), Texts{std::string("4 threads of an MPI rank share 1 core; use ") +
                                                 (open_mpi ? "'mpirun --map-by slot:PE=4' or '--bind-to none'"
                                                           : "'mpirun -bind-to core:4' or '-bind-to none'")});
}

}  // namespace
}  // namespace tempera::drivers
