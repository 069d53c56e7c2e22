#include "core/base/memory.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>

namespace tempera {

namespace {

constexpr double kUnknown = std::numeric_limits<double>::infinity();

double meminfo_bytes(const std::string& wanted) {
  std::ifstream file("/proc/meminfo");
  std::string key, rest;
  for (double kibibytes = 0; file >> key >> kibibytes; std::getline(file, rest))
    if (key == wanted) return kibibytes * 1024;
  return kUnknown;
}

/// Limit of a container or batch job (control groups, version 2).
double group_limit() {
  std::ifstream file("/sys/fs/cgroup/memory.max");
  double bytes = 0;
  return file >> bytes ? bytes : kUnknown;  // "max" reads as no number
}

}  // namespace

double total_memory() {
  return meminfo_bytes("MemTotal:");
}

double available_memory() {
  return std::min(meminfo_bytes("MemAvailable:"), group_limit());
}

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

}  // namespace tempera
