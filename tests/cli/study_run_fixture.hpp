#pragma once

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "core/io/tns.hpp"
#include "tests/support/command_runs.hpp"
#include "tests/support/tensors.hpp"

namespace tempera::test {

/// A folder to run `tempera run` in, and to compare what the studies leave.
class StudyRuns : public CommandRuns {
 protected:
  StudyRuns() : CommandRuns("run", {"--quiet"}) {
    SparseTensor tensor({6, 5, 4});
    for (Index k = 0; k < 60; ++k)
      tensor.append(std::vector<Index>{k * 7 % 6, k * 3 % 5, (k * 5 + k / 30) % 4}, static_cast<double>(1 + k * k % 7));
    std::filesystem::create_directories(path("in"));
    write_tns(path("in/counts.tns"), tensor);
  }

  /// A study file in the folder "in". @return its name
  std::string study(const std::string& text, const std::string& name = "study.toml") const {
    return file("in/" + name, text);
  }
  /// A program in the folder "in", as a command of a study names it.
  std::string script(const std::string& name, const std::string& body) const {
    file("in/" + name, "#!/bin/sh\n" + body);
    std::filesystem::permissions(path("in/" + name), std::filesystem::perms::owner_all);
    return "./" + name;
  }
  std::string command(const std::string& name, const std::string& what, const std::string& more = "") const {
    return "[stage." + name + "]\nengine = \"command\"\ncommand = '" + what + "'\n" + more;
  }
  static std::string fit(const std::string& name, const std::string& more = "") {
    return "[stage." + name + "]\nengine = \"decompose\"\ninput = \"counts.tns\"\ntolerance = 0.0\n" + more;
  }
  /// Batch optimisation of decompositions of the counts.
  static std::string search(int budget, int iterations, const std::string& more = "",
                            const std::string& checkpoints = "10it") {
    return "[stage.search]\nengine = \"optimize\"\nscheduler = \"batch\"\nbatch = 2\nhyperparameters = \"map\"\n"
           "objective.stage = \"factor\"\nobjective.metric = \"holdout.squared_error\"\nbudget = " +
           std::to_string(budget) + "\n" + more +
           "[[stage.search.parameter]]\nname = \"rank\"\ntype = \"integer\"\nlow = 1\nhigh = 4\n"
           "[[stage.search.parameter]]\nname = \"penalty\"\ntype = \"real\"\nlow = 0.001\nhigh = 1.0\nscale = "
           "\"log\"\n" +
           fit("factor",
               "rank = \"{rank}\"\nconstraint = [\"nonnegative\", \"l1:{penalty}\"]\nholdout = 0.2\n"
               "checkpoint-every = \"" +
                   checkpoints + "\"\niterations = " + std::to_string(iterations) + "\n");
  }

  std::vector<Json> lines(const std::string& name) const {
    std::vector<Json> all;
    const std::string content = std::filesystem::exists(path(name)) ? text(name) : "";
    for (std::size_t at = 0, end = content.find('\n'); end != std::string::npos; end = content.find('\n', at)) {
      all.push_back(Json::parse(content.substr(at, end - at)));
      at = end + 1;
    }
    return all;
  }
  /// From the journal: how often each run has begun, and how it ended each time.
  std::map<std::string, int> starts(const std::string& name) const {
    std::map<std::string, int> count;
    for (const Json& event : lines(name + "/journal.jsonl"))
      if (event["event"] == "start") ++count[event["run"]];
    return count;
  }
  std::map<std::string, std::vector<std::string>> ends(const std::string& name) const {
    std::map<std::string, std::vector<std::string>> all;
    for (const Json& event : lines(name + "/journal.jsonl"))
      if (event["event"] == "end") all[event["run"]].push_back(event["status"]);
    return all;
  }
  bool has_begun(const std::string& name, const std::string& run) const { return starts(name)[run] > 0; }

  /// Without what the clock and the number of ranks say, and memory and traffic.
  Json timeless(Json summary) const {
    for (const char* key : {"seconds", "seconds_per_iteration", "mpi_ranks", "worker_busy_fraction", "workers",
                            "proposal_seconds", "memory_growth_bytes_max", "regions", "target"})  // the path of a tensor is absolute once it is resumed
      summary.erase(key);
    return summary;
  }
  std::vector<Json> trials(const std::string& folder) const {
    std::vector<Json> all = lines(folder + "/trials.jsonl");
    for (Json& trial : all) trial.erase("seconds"), trial.erase("retries");
    return all;
  }
  /// The runs of two studies that ended well: draws and trials of batches to the bit, fits to rounding, what commands said.
  /// @param free  runs whose results depend on the order in which things happened
  void expect_same_results(const std::string& name, const std::string& other,
                           const std::vector<std::string>& free = {}) const {
    const Json one = json(name + "/summary.json")["stages"], two = json(other + "/summary.json")["stages"];
    ASSERT_EQ(one.size(), two.size());
    for (const auto& [run, what] : two.items()) {
      SCOPED_TRACE(run);
      ASSERT_EQ(one[run]["status"], "done");
      if (std::find(free.begin(), free.end(), run) != free.end()) continue;
      const std::string folder = what["folder"], a = name + "/" + folder, b = other + "/" + folder;
      const std::string engine = what["engine"];
      if (engine == "sample") {
        EXPECT_EQ(text(a + "/draws.nc") == text(b + "/draws.nc"), true) << "draws differ in their bytes";
        EXPECT_EQ(timeless(json(a + "/summary.json")) == timeless(json(b + "/summary.json")), true);
      } else if (engine == "optimize") {
        EXPECT_EQ(trials(a), trials(b));
        EXPECT_EQ(json(a + "/summary.json")["best_point"], json(b + "/summary.json")["best_point"]);
      } else if (engine == "decompose") {
        const double fit = json(b + "/summary.json")["fit"];
        EXPECT_NEAR(json(a + "/summary.json")["fit"].get<double>(), fit, 1e-10 * std::abs(fit));
        EXPECT_EQ(json(a + "/summary.json")["iterations"], json(b + "/summary.json")["iterations"]);
      } else {
        EXPECT_EQ(json(a + "/summary.json"), json(b + "/summary.json"));
      }
    }
  }
};

}  // namespace tempera::test
