#pragma once

#include <string>
#include <vector>

#include "tests/support/command_runs.hpp"

namespace tempera::test {

/// A folder to run `tempera optimize` in, and to compare what its runs leave.
class OptimizeCommand : public CommandRuns {
 protected:
  OptimizeCommand() : CommandRuns("optimize", {"--quiet"}) {}

  ProcessResult optimize(const Arguments& arguments, int ranks = 0) const { return run(arguments, ranks); }
  void expect_refusal(const Arguments& arguments, int status, const std::string& message, bool on_ranks = false) const {
    expect_refusal_of(arguments, status, message, on_ranks);
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
};

}  // namespace tempera::test
