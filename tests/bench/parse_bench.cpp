// Speed of reading text tensors on one core: made-up lines, written to a file whose pages stay in memory. The sums of what
// was read are checked.
//
//   parse_bench megabytes=64
#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "core/base/random_stream.hpp"
#include "core/io/tns.hpp"
#include "tests/bench/bench.hpp"

namespace {

using namespace tempera;
using namespace tempera::bench;

struct Text {
  std::string bytes;
  double sum = 0;
  Index lines = 0;
};

/// Rows of a three-way tensor; counts, or values of 17 digits.
Text make_text(std::size_t size, bool counts) {
  Text text;
  RandomStream stream(1, "bench-text", {});
  while (text.bytes.size() < size) {
    const double value = counts ? static_cast<double>(1 + stream.uniform_index(99)) : 1000 * stream.uniform_open();
    text.bytes += fmt::format("{} {} {} {}\n", 1 + stream.uniform_index(20000), 1 + stream.uniform_index(500000),
                              1 + stream.uniform_index(3000000), value);
    text.sum += value;
    ++text.lines;
  }
  return text;
}

void bench_text(const char* name, const Text& text, const std::string& path, Report& report) {
  std::ofstream(path, std::ios::binary) << text.bytes;
  double sum = 0;
  Index nonzeros = 0;
  const Timing timing = time_runs([&] {
    TnsReader reader(path, TnsOptions{});
    sum = 0;
    TnsChunk chunk;
    while (reader.next(chunk))
      for (const double value : chunk.values()) sum += value;
    nonzeros = reader.state().nonzeros();
  });
  std::filesystem::remove(path);
  const bool correct = nonzeros == text.lines && std::abs(sum - text.sum) <= 1e-9 * std::abs(text.sum);
  const auto bytes = static_cast<double>(text.bytes.size());
  Work work;
  work.traffic = {{bytes, bytes}};
  report.add(name, "parse", timing, work, correct,
             {{"lines", text.lines}, {"lines_per_second", static_cast<double>(text.lines) / timing.best}});
}

}  // namespace

int main(int argc, char** argv) {
  const Settings settings(argc, argv, {{"megabytes", "16"}});
  const auto size = static_cast<std::size_t>(settings.integer("megabytes")) << 20;
  const std::string path =
      (std::filesystem::temp_directory_path() / fmt::format("parse_bench_{}.tns", seconds_now())).string();
  Report report("parse", settings);
  bench_text("counts", make_text(size, true), path, report);
  bench_text("reals", make_text(size, false), path, report);
  return report.finish();
}
