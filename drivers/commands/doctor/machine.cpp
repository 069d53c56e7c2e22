#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <fstream>

#include "core/base/build_info.hpp"
#include "core/base/memory.hpp"
#include "core/base/roofline.hpp"
#include "core/base/simd.hpp"
#include "core/base/text.hpp"
#include "drivers/commands/doctor/checks.hpp"
#include "drivers/launch.hpp"

namespace tempera::drivers {

namespace {

/// Text after "KEY :" in a file of lines such as /proc/meminfo; "" if there is none.
std::string entry(const char* file, const std::string& key) {
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos || line.compare(0, key.size(), key) != 0) continue;
    return line.substr(std::min(line.size(), line.find_first_not_of(" \t", colon + 1)));
  }
  return {};
}

}  // namespace

void check_build(Findings& findings) {
  const BuildInfo& build = build_info();
  Finding finding{Finding::Level::ok, "build",
                  fmt::format("tempera {} ({}), {}, {}, flags {}", build.version, build.git_hash, build.build_type,
                              build.compiler, build.flags),
                  ""};
  if (build.build_type == "Debug") {
    finding.level = Finding::Level::warn;
    finding.mend = "a debug build is several times slower; configure with 'cmake --preset release'";
  }
  findings.push_back(std::move(finding));
}

void check_machine(Findings& findings) {
  constexpr double kLittleMemory = 1024.0 * 1024 * 1024;
  const std::string model = entry("/proc/cpuinfo", "model name");
  findings.push_back(
      {Finding::Level::ok, "processor",
       fmt::format("{}, {} logical processors online, vector kernels for {}", model.empty() ? "unknown model" : model,
                   sysconf(_SC_NPROCESSORS_ONLN), name(simd_level())),
       ""});
  const double available = available_memory();
  Finding memory{Finding::Level::ok, "memory",
                 fmt::format("{} of {} available", human_bytes(available), human_bytes(total_memory())), ""};
  if (available < kLittleMemory) {
    memory.level = Finding::Level::warn;
    memory.mend = "less than 1 GiB: end other programs, ask the batch system for more, or use more nodes";
  }
  findings.push_back(std::move(memory));
}

void check_speed(const Communicator& world, Findings& findings) {
  constexpr std::int64_t kFootprint = 96 * 1024 * 1024;
  constexpr double kSeconds = 0.2;
  constexpr double kGiga = 1e9;
  world.barrier();
  const double triad = measure_triad(kFootprint, kSeconds) / kGiga;
  const double peak = measure_multiply_add_peak(kSeconds / 2) / kGiga;
  const auto spread = [&](double own, const char* unit) {
    const double least = world.all_reduce_value(own, Reduction::minimum);
    const double most = world.all_reduce_value(own, Reduction::maximum);
    if (world.size() == 1) return fmt::format("{:.1f} {}", most, unit);
    return fmt::format("{:.1f} to {:.1f} {} a rank, all ranks at once", least, most, unit);
  };
  findings.push_back({Finding::Level::ok, "bandwidth",
                      fmt::format("triad over {}: {}", human_bytes(kFootprint), spread(triad, "GB/s")), ""});
  findings.push_back({Finding::Level::ok, "arithmetic", fmt::format("multiply-adds: {}", spread(peak, "GFLOP/s")), ""});
}

}  // namespace tempera::drivers
