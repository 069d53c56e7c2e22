#include "core/base/memory.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
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

/// Names of one version of the control groups.
struct GroupFiles {
  const char* limit;
  const char* use;
  const char* cache;  // key in memory.stat of the page cache that goes first
};
constexpr GroupFiles kVersion1 = {"memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"};
constexpr GroupFiles kVersion2 = {"memory.max", "memory.current", "inactive_file"};

/// "max" and absent files read as no number.
std::optional<double> number_in(const std::filesystem::path& path) {
  std::ifstream file(path);
  double value = 0;
  if (file >> value) return value;
  return std::nullopt;
}

double dropped_cache(const std::filesystem::path& group, const std::string& wanted) {
  std::ifstream file(group / "memory.stat");
  std::string key;
  for (double value = 0; file >> key >> value;)
    if (key == wanted) return value;
  return 0;
}

double left_in(const std::filesystem::path& group, const GroupFiles& files) {
  const auto limit = number_in(group / files.limit);
  const auto use = number_in(group / files.use);
  if (!limit || !use) return limit.value_or(kUnknown);
  const double cache = std::min(dropped_cache(group, files.cache), *use);
  return std::max(0.0, *limit - *use + cache);
}

/// A group is bound by all groups around it. In a container the path may begin above what is mounted: what is not
/// found there is passed over.
double left_up_from(std::filesystem::path group, const std::filesystem::path& root, const GroupFiles& files) {
  double left = left_in(root, files);
  for (; group != root && group.has_relative_path(); group = group.parent_path())
    left = std::min(left, left_in(group, files));
  return left;
}

}  // namespace

double memory_left_in_groups(const std::filesystem::path& membership, const std::filesystem::path& mount) {
  std::ifstream file(membership);
  double left = kUnknown;
  for (std::string line; std::getline(file, line);) {  // NUMBER:CONTROLLERS:/PATH
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos || second + 1 >= line.size()) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const std::string path = line.substr(second + 2);
    if (controllers == ",,") {
      for (const auto& root : {mount, mount / "unified"})
        left = std::min(left, left_up_from(path.empty() ? root : root / path, root, kVersion2));
    } else if (controllers.find(",memory,") != std::string::npos) {
      const auto root = mount / "memory";
      left = std::min(left, left_up_from(path.empty() ? root : root / path, root, kVersion1));
    }
  }
  return left;
}

double total_memory() {
  return meminfo_bytes("MemTotal:");
}

double available_memory() {
  return std::min(meminfo_bytes("MemAvailable:"), memory_left_in_groups("/proc/self/cgroup", "/sys/fs/cgroup"));
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
