#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/base/error.hpp"
#include "drivers/master/study_plan.hpp"
#include "tests/support/data.hpp"

namespace tempera::test {

/// A folder with a study file, a small tensor and a program.
class StudyFiles : public testing::Test {
 protected:
  StudyFiles() {
    std::string cells;
    for (int i = 1; i <= 6; ++i)
      for (int j = 1; j <= 5; ++j)
        cells += std::to_string(i) + " " + std::to_string(j) + " 1 " + std::to_string(i * j) + "\n";
    write_text(folder_ / "x.tns", cells + "6 5 4 1\n");
    write_text(folder_ / "tool", "#!/bin/sh\necho '{\"value\": 1}'\n");
    std::filesystem::permissions(folder_ / "tool", std::filesystem::perms::owner_all);
  }

  std::filesystem::path file(const std::string& text) const { return write_text(folder_ / "study.toml", text); }
  drivers::StudyGraph graph(const std::string& text) const {
    return drivers::make_graph(drivers::read_study(file(text)));
  }

  /// What the file is refused with, paths without the folder; "" if it is accepted.
  std::string refusal(const std::string& text, int ranks = 5) const {
    try {
      static_cast<void>(drivers::validate(graph(text), ranks));
    } catch (const Error& error) {
      std::string message = error.message().substr(std::string("tempera: error: ").size());
      const std::string prefix = folder_.path().string() + "/";
      for (auto at = message.find(prefix); at != std::string::npos; at = message.find(prefix))
        message.erase(at, prefix.size());
      return message;
    }
    return "";
  }

  TemporaryFolder folder_;
};

/// A stage that decomposes the small tensor.
inline std::string decompose_stage(const std::string& name, const std::string& more = "") {
  return "[stage." + name + "]\nengine = \"decompose\"\ninput = \"x.tns\"\n" + more;
}
inline std::string command_stage(const std::string& name, const std::string& more = "",
                                 const std::string& command = "true") {
  return "[stage." + name + "]\nengine = \"command\"\ncommand = \"" + command + "\"\n" + more;
}
/// An optimize stage whose trials are runs of "factor", with a parameter "rank".
inline std::string search_stage(const std::string& more = "") {
  return "[stage.search]\nengine = \"optimize\"\nobjective.stage = \"factor\"\nobjective.metric = \"fit\"\n"
         "parameter = [{name = \"rank\", type = \"integer\", low = 1, high = 9}]\n" +
         more;
}

}  // namespace tempera::test
