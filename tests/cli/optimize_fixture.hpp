#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/data.hpp"
#include "tests/support/running_process.hpp"

namespace tempera::test {

/// A folder to run `tempera optimize` in, and to compare what its runs leave.
class OptimizeCommand : public testing::Test {
 protected:
  using Arguments = std::vector<std::string>;
  using Json = nlohmann::json;

  static Arguments with(Arguments arguments, const Arguments& more) {
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  static Arguments run_of(const Arguments& arguments, const std::string& name) {
    return with(with({"optimize"}, arguments), {"--output", name, "--quiet"});
  }

  ProcessSettings here() const { return {.seconds = 120, .folder = folder_.path(), .environment = {}}; }
  ProcessResult optimize(const Arguments& arguments, int ranks = 0) const {
    return tempera_ranks(ranks, with({"optimize"}, arguments), here());
  }
  ProcessResult resume(int ranks, const std::string& name, const Arguments& more = {}) const {
    return tempera_ranks(ranks, with({"resume", name, "--quiet"}, more), here());
  }
  /// A run that must come to its end.
  void start(const Arguments& arguments, const std::string& name, int ranks = 0) const {
    const auto result = tempera_ranks(ranks, run_of(arguments, name), here());
    ASSERT_EQ(result.status, 0) << result.err;
  }

  std::filesystem::path path(const std::string& name) const { return folder_ / name; }
  std::string text(const std::string& name) const { return read_text(folder_ / name); }
  Json json(const std::string& name) const { return Json::parse(text(name)); }
  std::string file(const std::string& name, const std::string& content) const {
    write_text(folder_ / name, content);
    return name;
  }
  std::string script(const std::string& name, const std::string& body) const {
    file(name, "#!/bin/sh\n" + body);
    std::filesystem::permissions(path(name), std::filesystem::perms::owner_all);
    return "./" + name;
  }
  /// Two parameters, and a command that answers x·x + n after some milliseconds that depend on the trial.
  Arguments square(const std::string& more = "") const {
    file("space.toml",
         "[[parameter]]\nname = \"x\"\ntype = \"real\"\nlow = -1\nhigh = 2\n\n"
         "[[parameter]]\nname = \"n\"\ntype = \"integer\"\nlow = 0\nhigh = 3\n" +
             more);
    const std::string program =
        script("square.sh", "sleep 0.0$((TEMPERA_TRIAL_NUMBER * 7 % 5))\nawk \"BEGIN { print $1 * $1 + $2 }\"\n");
    return {"space.toml", "--command", program + " {x} {n}"};
  }

  /// trials.jsonl without what the clock says.
  std::vector<Json> trials(const std::string& name) const {
    std::vector<Json> all;
    const std::string lines = text(name + "/trials.jsonl");
    for (std::size_t at = 0; at < lines.size();) {
      const std::size_t end = lines.find('\n', at);
      all.push_back(Json::parse(lines.substr(at, end - at)));
      all.back().erase("seconds");
      at = end + 1;
    }
    return all;
  }

  /// The refusal: this status, this message (nothing else on standard error), no run folder; under mpirun too, once.
  void expect_refusal(Arguments arguments, int status, const std::string& message, bool on_ranks = false) const {
    arguments.insert(arguments.end(), {"--output", "refused"});
    const auto result = optimize(arguments);
    EXPECT_EQ(result.status, status) << message;
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(result.err, "tempera: error: " + message + "\n");
    EXPECT_FALSE(std::filesystem::exists(folder_ / "refused")) << "a refused run leaves no folder";
    if (!on_ranks) return;
    const auto two = optimize(arguments, 2);
    EXPECT_EQ(two.status, status) << two.err;
    EXPECT_EQ(occurrences(two.err, "tempera: error: "), 1) << two.err;
    EXPECT_THAT(two.err, testing::HasSubstr("tempera: error: " + message + "\n"));
    EXPECT_FALSE(std::filesystem::exists(folder_ / "refused"));
  }

  TemporaryFolder folder_;
};

}  // namespace tempera::test
