#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/base/index.hpp"

namespace tempera::bench {

/// Settings of a benchmark as people write them: NAME=VALUE words, "rank=16 nonzeros=2e6,1e7 only=mttkrp".
/// What is left out has the default of the call. An unknown name or a value that is no number ends the program with
/// status 2 and the list of names.
class Settings {
 public:
  Settings(int argc, char** argv, std::map<std::string, std::string> defaults);

  const std::string& text(const std::string& name) const { return values_.at(name); }
  /// Comma-separated.
  std::vector<std::string> texts(const std::string& name) const;
  std::vector<double> numbers(const std::string& name) const;
  /// The same, rounded: "2e6" is 2000000.
  std::vector<Index> integers(const std::string& name) const;
  double number(const std::string& name) const { return numbers(name).front(); }
  Index integer(const std::string& name) const { return integers(name).front(); }
  /// `part` occurs in the setting "only", or that is empty.
  bool wants(const std::string& part) const;
  const std::map<std::string, std::string>& all() const { return values_; }

 private:
  std::map<std::string, std::string> values_;
};

/// Seconds of one call: the best and the middle one of `runs`.
struct Timing {
  double best = 0;
  double median = 0;
  int runs = 0;
};

/// Of an even number of values the mean of the middle two. @pre one at least
double median(std::vector<double> values);

double seconds_now();
Timing timing_of(std::vector<double> seconds);
/// Times `body` after one call to warm up: at least kLeastRuns times, and more until kMeasureSeconds have passed (at most
/// kMostRuns). `prepare`, if given, runs before each call and is not timed.
Timing time_runs(const std::function<void()>& body, const std::function<void()>& prepare = {});

constexpr int kLeastRuns = 5;
constexpr int kMostRuns = 200;
constexpr double kMeasureSeconds = 0.3;

/// Bytes that are read or written from a set of `footprint` bytes, hence from the cache, or memory, that holds it.
struct Traffic {
  double bytes = 0;
  double footprint = 0;
};

/// What a kernel cannot do without: the larger of its arithmetic at peak and its traffic, each part at the bandwidth of
/// where it lives, bounds its time from below.
struct Work {
  double flops = 0;
  std::vector<Traffic> traffic;

  double bytes() const;
};

/// Bounds of this machine for one thread, measured when first asked for and remembered: multiply-adds a second, and
/// triad bandwidth by footprint (rounded up to a power of two).
class Roofline {
 public:
  double peak();
  double bandwidth(double footprint);
  /// Least seconds for this work.
  double bound(const Work& work);
  nlohmann::ordered_json json() const;

 private:
  double peak_ = 0;
  std::map<std::int64_t, double> bandwidths_;
};

/// Collects the lines of one benchmark; `finish` prints a table for people and then one line of JSON:
///   {"bench", "settings", "simd", "roofline", "lines": [{"case", "kernel", "best_seconds", "median_seconds", "runs",
///    "flops", "bytes", "gflops", "gigabytes_per_second", "bound_seconds", "fraction", "correct", …}], "correct"}
/// Rates and `fraction` (bound / time) are those of the best run: what disturbs a run only adds to its time.
class Report {
 public:
  /// @param prints  false on all ranks but one
  Report(std::string name, const Settings& settings, bool prints = true);

  Roofline& roofline() { return roofline_; }
  /// @param correct  the answer that was timed is right
  /// @param more     further figures of this line, for the JSON only
  void add(const std::string& where, const std::string& kernel, const Timing& timing, const Work& work, bool correct,
           nlohmann::ordered_json more = nlohmann::ordered_json::object());
  /// A line of text for people below the table.
  void note(std::string text) { notes_.push_back(std::move(text)); }
  /// Exit status: 0 if every answer was right.
  int finish();

 private:
  std::string name_;
  bool prints_;
  Roofline roofline_;
  nlohmann::ordered_json settings_;
  nlohmann::ordered_json lines_ = nlohmann::ordered_json::array();
  std::vector<std::string> notes_;
  bool correct_ = true;
};

}  // namespace tempera::bench
