#include "tests/bench/bench.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstdlib>

#include "core/base/roofline.hpp"
#include "core/base/simd.hpp"

namespace tempera::bench {

namespace {

constexpr double kBandwidthSeconds = 0.1;
constexpr std::int64_t kLeastFootprint = 24 * 1024;
constexpr std::int64_t kMostFootprint = 256 << 20;  // beyond every cache

[[noreturn]] void refuse(const std::string& what, const std::map<std::string, std::string>& defaults) {
  fmt::print(stderr, "{}\nsettings are NAME=VALUE; these are the names and what they are without you:\n", what);
  for (const auto& [name, value] : defaults) fmt::print(stderr, "  {}={}\n", name, value);
  std::exit(2);
}

}  // namespace

Settings::Settings(int argc, char** argv, std::map<std::string, std::string> defaults) : values_(defaults) {
  for (int k = 1; k < argc; ++k) {
    const std::string word = argv[k];
    const auto equals = word.find('=');
    const std::string name = word.substr(0, equals);
    if (equals == std::string::npos || !defaults.contains(name)) refuse(fmt::format("'{}'?", word), defaults);
    values_[name] = word.substr(equals + 1);
  }
}

std::vector<std::string> Settings::texts(const std::string& name) const {
  std::vector<std::string> parts{""};
  for (const char letter : text(name)) {
    if (letter == ',')
      parts.emplace_back();
    else
      parts.back() += letter;
  }
  return parts;
}

std::vector<double> Settings::numbers(const std::string& name) const {
  std::vector<double> numbers;
  for (const std::string& part : texts(name)) {
    char* end = nullptr;
    numbers.push_back(std::strtod(part.c_str(), &end));
    if (part.empty() || *end != '\0') refuse(fmt::format("{}={}: '{}' is no number", name, text(name), part), values_);
  }
  return numbers;
}

std::vector<Index> Settings::integers(const std::string& name) const {
  std::vector<Index> whole;
  for (const double number : numbers(name)) whole.push_back(std::llround(number));
  return whole;
}

bool Settings::wants(const std::string& part) const {
  const auto parts = texts("only");
  return text("only").empty() || std::find(parts.begin(), parts.end(), part) != parts.end();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

Timing timing_of(std::vector<double> seconds) {
  std::sort(seconds.begin(), seconds.end());
  return {seconds.front(), seconds[seconds.size() / 2], static_cast<int>(seconds.size())};
}

Timing time_runs(const std::function<void()>& body, const std::function<void()>& prepare) {
  std::vector<double> seconds;
  double spent = 0;
  for (int run = 0; run <= kLeastRuns || (spent < kMeasureSeconds && run < kMostRuns); ++run) {
    if (prepare) prepare();
    const double start = seconds_now();
    body();
    const double elapsed = seconds_now() - start;
    if (run == 0) continue;
    seconds.push_back(elapsed);
    spent += elapsed;
  }
  return timing_of(std::move(seconds));
}

double Work::bytes() const {
  double sum = 0;
  for (const Traffic& part : traffic) sum += part.bytes;
  return sum;
}

double Roofline::peak() {
  if (peak_ == 0) peak_ = measure_multiply_add_peak(kBandwidthSeconds);
  return peak_;
}

double Roofline::bandwidth(double footprint) {
  const auto bytes = std::clamp(static_cast<std::int64_t>(footprint), kLeastFootprint, kMostFootprint);
  const auto rounded = static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(bytes)));
  double& rate = bandwidths_[rounded];
  if (rate == 0) rate = measure_triad(rounded, kBandwidthSeconds);
  return rate;
}

double Roofline::bound(const Work& work) {
  double transfer = 0;
  for (const Traffic& part : work.traffic)
    if (part.bytes > 0) transfer += part.bytes / bandwidth(part.footprint);
  return std::max(work.flops / peak(), transfer);
}

nlohmann::ordered_json Roofline::json() const {
  nlohmann::ordered_json triads = nlohmann::ordered_json::array();
  for (const auto& [bytes, rate] : bandwidths_) triads.push_back({{"bytes", bytes}, {"bytes_per_second", rate}});
  return {{"peak_flops_per_second", peak_}, {"triad", triads}};
}

Report::Report(std::string name, const Settings& settings, bool prints)
    : name_(std::move(name)), prints_(prints), settings_(settings.all()) {}

void Report::add(const std::string& where, const std::string& kernel, const Timing& timing, const Work& work,
                 bool correct, nlohmann::ordered_json more) {
  const double bound = roofline_.bound(work);
  nlohmann::ordered_json line{{"case", where},
                              {"kernel", kernel},
                              {"best_seconds", timing.best},
                              {"median_seconds", timing.median},
                              {"runs", timing.runs},
                              {"flops", work.flops},
                              {"bytes", work.bytes()},
                              {"gflops", work.flops / timing.best / 1e9},
                              {"gigabytes_per_second", work.bytes() / timing.best / 1e9},
                              {"bound_seconds", bound},
                              {"fraction", bound / timing.best},
                              {"correct", correct}};
  line.update(more);
  lines_.push_back(std::move(line));
  correct_ = correct_ && correct;
}

int Report::finish() {
  const int status = correct_ ? EXIT_SUCCESS : EXIT_FAILURE;
  if (!prints_) return status;
  std::size_t where = 4, kernel = 6;
  for (const auto& line : lines_) {
    where = std::max(where, line["case"].get_ref<const std::string&>().size());
    kernel = std::max(kernel, line["kernel"].get_ref<const std::string&>().size());
  }
  fmt::print("{:<{}}  {:<{}}  {:>9}  {:>9}  {:>7}  {:>6}  {:>9}  {:>8}\n", "case", where, "kernel", kernel, "best ms",
             "median ms", "GFLOP/s", "GB/s", "bound ms", "fraction");
  for (const auto& line : lines_)
    fmt::print("{:<{}}  {:<{}}  {:9.3f}  {:9.3f}  {:7.2f}  {:6.1f}  {:9.3f}  {:8.2f}{}\n",
               line["case"].get<std::string>(), where, line["kernel"].get<std::string>(), kernel,
               line["best_seconds"].get<double>() * 1e3, line["median_seconds"].get<double>() * 1e3,
               line["gflops"].get<double>(), line["gigabytes_per_second"].get<double>(),
               line["bound_seconds"].get<double>() * 1e3, line["fraction"].get<double>(),
               line["correct"].get<bool>() ? "" : "  WRONG");
  for (const std::string& text : notes_) fmt::print("{}\n", text);
  const nlohmann::ordered_json report{
      {"bench", name_},  {"settings", settings_}, {"simd", name(simd_level())}, {"roofline", roofline_.json()},
      {"lines", lines_}, {"correct", correct_}};
  fmt::print("{}\n", report.dump());
  return status;
}

}  // namespace tempera::bench
