#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <map>
#include <nlohmann/json.hpp>

#include "core/base/random_stream.hpp"
#include "core/io/npy.hpp"
#include "core/io/tns.hpp"
#include "tests/support/data.hpp"
#include "tests/support/faults.hpp"
#include "tests/support/running_process.hpp"
#include "tests/support/tensors.hpp"

namespace tempera::test {

constexpr int kKilled = 128 + SIGKILL;
constexpr int kStopped = 130;

/// A folder to break runs of `tempera decompose` in and to compare them with unbroken ones.
class Durability : public testing::Test {
 protected:
  using Arguments = std::vector<std::string>;

  /// A run is `decompose` with these and --output NAME.
  struct Run {
    Arguments arguments;
    int ranks = 2;
  };

  Durability() {
    write_tns(folder_ / "sparse.tns", random_sparse({40, 30, 20}, 3000, 3));
    write_npy(folder_ / "dense.npy", planted(KruskalTensor{{2.0, 1.0}, random_factors({14, 12, 10}, 2, 5)}, 0.3, 5));
  }

  /// All sweeps are run unless `more` names a tolerance.
  static Arguments fit(const std::string& input, int iterations, const Arguments& more = {}) {
    Arguments arguments{input, "--rank", "3", "--iterations", std::to_string(iterations)};
    if (std::find(more.begin(), more.end(), "--tolerance") == more.end())
      arguments.insert(arguments.end(), {"--tolerance", "0"});
    return with(arguments, more);
  }
  static Arguments with(Arguments arguments, const Arguments& more) {
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  static Arguments decompose(const Run& run, const std::string& name) {
    return with(with({"decompose"}, run.arguments), {"--output", name});
  }

  ProcessSettings here() const { return {.seconds = 120, .folder = folder_.path()}; }
  ProcessResult start(const Run& run, const std::string& name) const {
    return tempera_ranks(run.ranks, decompose(run, name), here());
  }
  /// The run with a fault; whatever comes of it.
  ProcessResult start_with(const Run& run, const std::string& name, const Fault& fault) const {
    return tempera_ranks(run.ranks, decompose(run, name), with_fault(fault, here()));
  }
  ProcessResult resume(int ranks, const std::string& name, const Arguments& more = {}) const {
    return tempera_ranks(ranks, with({"resume", name}, more), here());
  }

  std::filesystem::path path(const std::string& name) const { return folder_ / name; }
  std::string text(const std::string& name) const { return read_text(folder_ / name); }
  nlohmann::json json(const std::string& name) const { return nlohmann::json::parse(text(name)); }
  double fit_of(const std::string& name) const { return json(name + "/summary.json").at("fit"); }
  int sweeps(const std::string& name) const {
    return occurrences(text(name + "/progress.jsonl"), R"({"step":"sweep")");
  }
  bool wait_for_sweeps(const RunningProcess& job, const std::string& name, int count) const {
    return wait_until([&] { return sweeps(name) >= count; }, 60, &job);
  }

  /// Name of the same run in one piece.
  std::string unbroken(const Run& run) {
    std::string& name = unbroken_[{run.ranks, run.arguments}];
    if (name.empty()) {
      name = "unbroken-" + std::to_string(unbroken_.size());
      const auto result = start(run, name);
      EXPECT_EQ(result.status, 0) << result.err;
    }
    return name;
  }

  /// The finished run `name` is the unbroken one: to the bit if it was on as many ranks all the time, else to rounding.
  void expect_as_unbroken(const std::string& name, const Run& run, bool same_ranks) {
    const std::string whole = unbroken(run);
    ASSERT_TRUE(std::filesystem::exists(path(name) / "summary.json"));
    const nlohmann::json expected = json(whole + "/summary.json"), found = json(name + "/summary.json");
    EXPECT_EQ(found.at("iterations"), expected.at("iterations"));
    EXPECT_EQ(found.at("converged"), expected.at("converged"));
    const double fit = expected.at("fit");
    EXPECT_NEAR(found.at("fit").get<double>(), fit, 1e-10 * std::abs(fit));
    EXPECT_EQ(json(name + "/manifest.json").at("exit_status"), 0);
    if (!same_ranks) return;
    EXPECT_EQ(found.at("fit"), expected.at("fit"));
    EXPECT_EQ(text(name + "/factors.h5") == text(whole + "/factors.h5"), true) << "factors differ in their bits";
    EXPECT_EQ(fits_of_sweeps(name), fits_of_sweeps(whole));
  }

  /// progress.jsonl: (start, sweep) and the fit there, each once.
  std::vector<std::pair<std::pair<int, int>, double>> fits_of_sweeps(const std::string& name) const {
    std::vector<std::pair<std::pair<int, int>, double>> fits;
    std::istringstream lines(text(name + "/progress.jsonl"));
    for (std::string line; std::getline(lines, line);) {
      const auto step = nlohmann::json::parse(line);
      if (step.at("step") == "sweep") fits.push_back({{step.at("restart"), step.at("iteration")}, step.at("fit")});
    }
    return fits;
  }

  TemporaryFolder folder_;

 private:
  std::map<std::pair<int, Arguments>, std::string> unbroken_;
};

}  // namespace tempera::test
