#include "drivers/commands/memory.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <limits>
#include <string>

#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "drivers/launch.hpp"

namespace tempera::drivers {

namespace {

/// MemAvailable of this node in bytes; infinity where the system does not say.
double available_bytes() {
  std::ifstream file("/proc/meminfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("MemAvailable:")) return 1024.0 * std::stod(line.substr(13));
  return std::numeric_limits<double>::infinity();
}

}  // namespace

std::int64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::int64_t total = 0, resident = 0;
  file >> total >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

std::int64_t peak_resident_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::int64_t>(usage.ru_maxrss) * 1024;
}

double cp_bytes(const DistributedTensor& tensor, double rank) {
  if (!tensor.active()) return 0;
  double rows = 0;
  for (int mode = 0; mode < tensor.order(); ++mode) rows += static_cast<double>(tensor.rows(mode).rows());
  return 8 * (3 * rows * rank + (tensor.order() + 4) * rank * rank);
}

void check_cp_memory(const Communicator& world, const DistributedTensor& tensor, std::int64_t rank) {
  const double share = available_bytes() / launch_facts(world).ranks_on_node;
  const double needed = cp_bytes(tensor, static_cast<double>(rank));
  if (needed > share)
    throw Error(Category::environment, "--rank",
                fmt::format("rank {} needs {} on an MPI rank for which {} are available", rank, human_bytes(needed),
                            human_bytes(share)),
                "choose a smaller --rank, or more nodes");
}

}  // namespace tempera::drivers
