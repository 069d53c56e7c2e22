#include <fmt/format.h>
#include <hdf5.h>
#include <mpi.h>
#include <netcdf.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "drivers/blas_library.hpp"
#include "drivers/commands/doctor/checks.hpp"
#include "drivers/launch.hpp"

namespace tempera::drivers {

namespace {

/// mpirun of Open MPI refuses to start as root unless both variables are set.
Finding check_root(const std::string& library) {
  const bool refused =
      geteuid() == 0 && library.starts_with("Open MPI") &&
      (std::getenv("OMPI_ALLOW_RUN_AS_ROOT") == nullptr || std::getenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM") == nullptr);
  if (!refused) return {Finding::Level::ok, "user", geteuid() == 0 ? "root, which mpirun allows" : "not root", ""};
  return {Finding::Level::warn, "user", "root: mpirun of Open MPI refuses to start",
          "export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1, or work as another user"};
}

}  // namespace

void check_launch(const Communicator& world, const Launch& launch, const LaunchFacts& facts, int threads,
                  Findings& findings) {
  const int ranks = world.size();
  int version = 0;
  int subversion = 0;
  MPI_Get_version(&version, &subversion);
  const std::string library = mpi_library_name();
  findings.push_back(
      {Finding::Level::ok, "MPI",
       fmt::format("{} (MPI {}.{}), {} rank{}", library, version, subversion, ranks, ranks == 1 ? "" : "s"), ""});
  findings.push_back(check_root(library));
  if (ranks == 1 && launch.ranks_of_launcher > 1)
    findings.push_back({Finding::Level::fail, "launcher",
                        fmt::format("{} started {} processes, but {} sees a single one in each", launch.launcher,
                                    launch.ranks_of_launcher, library),
                        "start tempera with the mpirun of its own MPI, or build it with the MPI of that launcher"});
  else if (ranks == 1 && launch.unconnected_srun_tasks > 0)
    findings.push_back({Finding::Level::warn, "launcher",
                        "srun started several tasks, but MPI sees one process in each",
                        "use 'srun --mpi=pmix' ('srun --mpi=list' shows what there is), or mpirun inside sbatch"});
  const auto warnings = launch_warnings(facts, threads);
  for (const std::string& warning : warnings) {
    const std::size_t split = warning.find("; ");
    findings.push_back({Finding::Level::warn, "cores", warning.substr(0, split), warning.substr(split + 2)});
  }
  if (warnings.empty())
    findings.push_back(
        {Finding::Level::ok, "cores",
         fmt::format("{} rank{} of {} thread{} on {} cores of a node", facts.ranks_on_node,
                     facts.ranks_on_node == 1 ? "" : "s", threads, threads == 1 ? "" : "s", facts.cores_of_node),
         ""});
}

void check_libraries(Findings& findings) {
  Finding blas{Finding::Level::ok, "BLAS", blas_name(), ""};
  if (!blas_kernels().empty()) blas.text += ", kernels for " + blas_kernels();
  if (const int threads = blas_threads(); threads > 0)
    blas.text += fmt::format(", {} thread{} a rank", threads, threads == 1 ? "" : "s");
  findings.push_back(std::move(blas));
  unsigned major = 0;
  unsigned minor = 0;
  unsigned release = 0;
  H5get_libversion(&major, &minor, &release);
  Finding hdf5{Finding::Level::ok, "HDF5", fmt::format("{}.{}.{}", major, minor, release), ""};
#ifdef H5_HAVE_PARALLEL
  hdf5.text += ", parallel";
#else
  hdf5.text += ", serial";
  hdf5.level = Finding::Level::warn;
  hdf5.mend = "build against the MPI variant of HDF5";
#endif
  if (major != H5_VERS_MAJOR || minor != H5_VERS_MINOR) {
    hdf5.level = Finding::Level::fail;
    hdf5.text += fmt::format(", but built against {}.{}.{}", H5_VERS_MAJOR, H5_VERS_MINOR, H5_VERS_RELEASE);
    hdf5.mend = "another HDF5 comes first in the library path; check LD_LIBRARY_PATH and loaded modules";
  }
  findings.push_back(std::move(hdf5));
  const std::string netcdf = nc_inq_libvers();  // "4.9.0 of Jan  1 2023 00:00:00 $"
  findings.push_back({Finding::Level::ok, "NetCDF", netcdf.substr(0, netcdf.find(' ')), ""});
}

}  // namespace tempera::drivers
