// Parsing speed of text tensors on one core: made-up data in memory, then the same bytes from a file.
// Prints one JSON line a case and checks the sums of what was parsed.
#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <string>

#include "core/io/tns.hpp"

namespace {

using tempera::Index;
using Clock = std::chrono::steady_clock;

struct Text {
  std::string bytes;
  double sum = 0;
  Index lines = 0;
};

/// Rows of a long-tailed three-way tensor; counts, or values of 17 digits.
Text make_text(std::size_t size, bool counts) {
  Text text;
  std::uint64_t state = 1;
  const auto draw = [&](std::uint64_t bound) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (state >> 33) % bound;
  };
  while (text.bytes.size() < size) {
    const double value = counts ? static_cast<double>(1 + draw(99)) : std::sqrt(static_cast<double>(1 + draw(1000000)));
    text.bytes += fmt::format("{} {} {} {}\n", 1 + draw(20000), 1 + draw(500000), 1 + draw(3000000), value);
    text.sum += value;
    ++text.lines;
  }
  return text;
}

bool report(const char* name, const Text& text, double seconds, double sum, Index nonzeros) {
  const bool good = nonzeros == text.lines && std::abs(sum - text.sum) <= 1e-9 * std::abs(text.sum);
  fmt::print(
      "{{\"benchmark\":\"parse\",\"case\":\"{}\",\"bytes\":{},\"seconds\":{:.4f},\"megabytes_per_second\":{:.1f},"
      "\"correct\":{}}}\n",
      name, text.bytes.size(), seconds, 1e-6 * static_cast<double>(text.bytes.size()) / seconds, good);
  return good;
}

bool run(const char* name, const Text& text, const std::string& path) {
  std::ofstream(path, std::ios::binary) << text.bytes;
  double best = 1e30, sum = 0;
  Index nonzeros = 0;
  for (int repeat = 0; repeat < 3; ++repeat) {
    const auto start = Clock::now();
    tempera::TnsReader reader(path, tempera::TnsOptions{});
    sum = 0;
    tempera::TnsChunk chunk;
    while (reader.next(chunk))
      for (const double value : chunk.values()) sum += value;
    nonzeros = reader.state().nonzeros();
    best = std::min(best, std::chrono::duration<double>(Clock::now() - start).count());
  }
  std::remove(path.c_str());
  return report(name, text, best, sum, nonzeros);
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t megabytes = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 64;
  const std::string path = (std::filesystem::temp_directory_path() /
                            fmt::format("parse_bench_{}.tns", Clock::now().time_since_epoch().count()))
                               .string();
  const bool counts = run("counts", make_text(megabytes << 20, true), path);
  const bool reals = run("reals", make_text(megabytes << 20, false), path);
  return counts && reals ? EXIT_SUCCESS : EXIT_FAILURE;
}
