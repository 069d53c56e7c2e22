#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>

#include "core/base/text.hpp"
#include "drivers/commands/doctor/checks.hpp"

namespace tempera::drivers {

namespace {

/// Whose library a file such as libmpi.so.40.30.4 is: the number behind ".so." is that of the binary interface.
/// MPICH, Intel MPI and MVAPICH share theirs, 12. @return "" for another library
std::string vendor_of(std::string_view file) {
  if (file.starts_with("libmpich.so") || file.starts_with("libmpich-")) return "MPICH";
  if (file.starts_with("libmpi_cray") || file.starts_with("libmpi_gnu") || file.starts_with("libmpi_intel"))
    return "Cray MPICH";
  constexpr std::string_view kName = "libmpi.so";
  if (!file.starts_with(kName)) return "";
  std::string_view version = file.substr(kName.size());
  if (version.starts_with('.')) version.remove_prefix(1);
  version = version.substr(0, version.find('.'));
  if (version == "12") return "MPICH or Intel MPI";
  if (version == "0") return "MPI with the standard binary interface";
  return "Open MPI";
}

}  // namespace

std::vector<LoadedMpi> loaded_mpi(std::string_view maps) {
  std::vector<LoadedMpi> found;
  for (const std::string_view line : split(maps, '\n')) {
    const std::size_t begin = line.find('/');
    if (begin == std::string_view::npos) continue;
    const std::string_view path = line.substr(begin);
    const std::string vendor = vendor_of(path.substr(path.rfind('/') + 1));
    const bool known = std::any_of(found.begin(), found.end(), [&](const LoadedMpi& mpi) { return mpi.path == path; });
    if (!vendor.empty() && !known) found.push_back({std::string(path), vendor});
  }
  return found;
}

void check_one_mpi(Findings& findings) {
  std::ifstream file("/proc/self/maps");
  const std::string maps{std::istreambuf_iterator<char>(file), {}};
  const std::vector<LoadedMpi> loaded = loaded_mpi(maps);
  if (loaded.size() < 2) return;
  std::string names;
  for (const LoadedMpi& mpi : loaded)
    names += fmt::format("{}{} ({})", names.empty() ? "" : " and ", mpi.path, mpi.vendor);
  findings.push_back({Finding::Level::fail, "MPI",
                      fmt::format("{} MPI libraries are loaded into one process: {}", loaded.size(), names),
                      "build tempera, HDF5, NetCDF and ScaLAPACK with one MPI; check LD_LIBRARY_PATH, LD_PRELOAD and "
                      "loaded modules"});
}

}  // namespace tempera::drivers
