#include "drivers/launch.hpp"

#include <fmt/format.h>
#include <mpi.h>
#include <omp.h>
#include <sched.h>

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <optional>

#include "core/base/error.hpp"
#include "distributed/communicator/objects.hpp"
#include "drivers/blas_library.hpp"
#include "drivers/standard_streams.hpp"

namespace tempera::drivers {

namespace {

constexpr int kMostProcessors = 8192;
using ProcessorSet = std::array<std::uint64_t, kMostProcessors / 64>;

std::optional<int> number_in_environment(const char* name) {
  const char* text = std::getenv(name);
  if (text == nullptr || *text < '0' || *text > '9') return std::nullopt;
  return std::atoi(text);
}

ProcessorSet own_processors() {
  ProcessorSet set{};
  if (sched_getaffinity(0, sizeof set, reinterpret_cast<cpu_set_t*>(set.data())) != 0) set[0] = 1;
  return set;
}

int count(const ProcessorSet& set) {
  int processors = 0;
  for (const std::uint64_t word : set) processors += std::popcount(word);
  return processors;
}

LaunchFacts facts_of_own_node(MPI_Comm communicator) {
  MPI_Comm node = MPI_COMM_NULL;
  MPI_Comm_split_type(communicator, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node);
  LaunchFacts facts;
  MPI_Comm_size(node, &facts.ranks_on_node);
  const ProcessorSet own = own_processors();
  ProcessorSet together{};
  MPI_Allreduce(own.data(), together.data(), static_cast<int>(own.size()), MPI_UINT64_T, MPI_BOR, node);
  facts.cores_of_node = count(together);
  facts.cores_of_rank = count(own);
  MPI_Allreduce(MPI_IN_PLACE, &facts.cores_of_rank, 1, MPI_INT, MPI_MIN, node);
  MPI_Comm_free(&node);
  return facts;
}

/// mpirun of Open MPI sets its own variables; that of MPICH and its relatives, called Hydra, those of the protocol PMI.
void read_launcher(Launch& launch) {
  const auto any = [](std::initializer_list<const char*> names) {
    return std::any_of(names.begin(), names.end(), [](const char* name) { return std::getenv(name) != nullptr; });
  };
  if (const auto ranks = number_in_environment("OMPI_COMM_WORLD_SIZE")) {
    launch.launcher = "mpirun of Open MPI";
    launch.ranks_of_launcher = *ranks;
  } else if (const auto by_pmi = number_in_environment("PMI_SIZE")) {
    const bool intel = any({"I_MPI_HYDRA_BOOTSTRAP", "I_MPI_INFO_NUMA_NODE_NUM"});
    const bool hydra = any({"HYDI_CONTROL_FD", "MPI_LOCALNRANKS", "PMI_PORT"});
    launch.launcher = intel                           ? "mpirun of Intel MPI"
                      : hydra                         ? "mpirun of MPICH"
                      : any({"SLURM_STEP_NUM_TASKS"}) ? "srun"
                                                      : "a launcher of PMI, as of MPICH or Intel MPI,";
    launch.ranks_of_launcher = *by_pmi;
  }
}

/// How mpirun of the MPI at hand gives each rank `threads` cores, or all.
std::string binding_of_threads(int threads) {
  if (mpi_library_name().starts_with("Open MPI"))
    return fmt::format("'mpirun --map-by slot:PE={}' or '--bind-to none'", threads);
  return fmt::format("'mpirun -bind-to core:{}' or '-bind-to none'", threads);
}

}  // namespace

Launch read_launch() {
  Launch launch;
  read_launcher(launch);
  for (const char* name : {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"}) {
    const auto rank = number_in_environment(name);
    if (!rank) continue;
    launch.rank = *rank;
    break;
  }
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"}) {
    const auto ranks = number_in_environment(name);
    if (!ranks) continue;
    launch.ranks = std::max(1, *ranks);
    break;
  }
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMIX_NAMESPACE", "PMI_RANK", "PMI_SIZE", "PMI_FD"})
    if (std::getenv(name) != nullptr) return launch;
  const int tasks = number_in_environment("SLURM_STEP_NUM_TASKS").value_or(1);
  if (tasks > 1) launch.unconnected_srun_tasks = tasks;
  return launch;
}

std::string mpi_library_name() {
  std::array<char, MPI_MAX_LIBRARY_VERSION_STRING> text{};
  int length = 0;
  MPI_Get_library_version(text.data(), &length);
  std::string name(text.data(), static_cast<std::size_t>(length));
  name.resize(std::min(name.size(), name.find_first_of(",\n")));
  // "MPICH Version:<tab>4.0.2"
  if (const std::size_t word = name.find("Version"); word != std::string::npos)
    name.erase(word, std::min(name.size(), name.find_first_of("0123456789", word)) - word);
  return name;
}

void refuse_unconnected(const Launch& launch, int mpi_size) {
  if (mpi_size > 1) return;
  if (launch.ranks_of_launcher > 1)
    throw Error(
        Category::environment, "",
        fmt::format("{} started {} processes, but the MPI of this program, {}, sees a single one in each of them",
                    launch.launcher, launch.ranks_of_launcher, mpi_library_name()),
        "start it with the mpirun of that MPI; 'tempera doctor' names the libraries");
  if (launch.unconnected_srun_tasks == 0) return;
  throw Error(Category::environment, "",
              fmt::format("srun started {} tasks, but MPI sees a single process in each of them",
                          launch.unconnected_srun_tasks),
              "use 'srun --mpi=pmix' ('srun --mpi=list' shows what there is), or mpirun inside sbatch");
}

LaunchFacts launch_facts(const Communicator& world) {
  const LaunchFacts own = facts_of_own_node(world.handle());
  const double load = static_cast<double>(own.ranks_on_node) / own.cores_of_node;
  const double heaviest = world.all_reduce_value(load, Reduction::maximum);
  // Of several nodes with that load the first rank's speaks for all.
  const int busiest = world.all_reduce_value(load < heaviest ? world.size() : world.rank(), Reduction::minimum);
  return world.broadcast_value(own, busiest);
}

std::string host_name() {
  char name[MPI_MAX_PROCESSOR_NAME] = "";
  int length = 0;
  MPI_Get_processor_name(name, &length);
  return std::string(name, static_cast<std::size_t>(length));
}

std::vector<std::string> host_names(const Communicator& world) {
  return world.gather_objects(host_name(), 0);
}

std::vector<std::string> launch_warnings(const LaunchFacts& facts, int threads) {
  std::vector<std::string> warnings;
  if (facts.ranks_on_node * threads > facts.cores_of_node)
    warnings.push_back(
        fmt::format("{} MPI ranks with {} thread{} each share {} cores of a node and slow each other down; use fewer "
                    "ranks or --threads",
                    facts.ranks_on_node, threads, threads == 1 ? "" : "s", facts.cores_of_node));
  else if (threads > facts.cores_of_rank)
    warnings.push_back(fmt::format("{} threads of an MPI rank share {} core{}; use {}", threads, facts.cores_of_rank,
                                   facts.cores_of_rank == 1 ? "" : "s", binding_of_threads(threads)));
  return warnings;
}

void set_threads(int threads) {
  omp_set_num_threads(threads);
  set_blas_threads(1);     // the threads call BLAS themselves, each for its own rows
  Eigen::setNbThreads(1);  // and products by Eigen have the same bits for every number of them
}

LaunchFacts begin_computation(const Communicator& world, const Launch& launch, int threads, bool quiet) {
  refuse_unconnected(launch, world.size());
  set_threads(threads);
  const LaunchFacts facts = launch_facts(world);
  if (quiet || !launch.is_first()) return facts;
  for (const std::string& warning : launch_warnings(facts, threads))
    print_message(fmt::format("tempera: warning: {}\n", warning));
  return facts;
}

}  // namespace tempera::drivers
