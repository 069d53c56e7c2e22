#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/data.hpp"
#include "tests/support/process.hpp"

namespace tempera::test {

/// A folder to run `tempera decompose` in.
class DecomposeCommand : public testing::Test {
 protected:
  ProcessResult decompose(std::vector<std::string> arguments, int ranks = 0) const {
    arguments.insert(arguments.begin(), "decompose");
    const ProcessSettings settings{.seconds = 120, .folder = folder_.path(), .environment = {}};
    return ranks == 0 ? tempera(arguments, settings) : tempera_ranks(ranks, arguments, settings);
  }
  nlohmann::json json(const std::string& name) const { return nlohmann::json::parse(read_text(folder_ / name)); }

  /// The refusal: this status, this message (nothing else on standard error), no run folder.
  void expect_refusal(std::vector<std::string> arguments, int status, const std::string& message) const {
    arguments.insert(arguments.end(), {"--output", "refused"});
    const auto result = decompose(arguments);
    EXPECT_EQ(result.status, status) << message;
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(result.err, "tempera: error: " + message + "\n");
    EXPECT_FALSE(std::filesystem::exists(folder_ / "refused")) << "a refused run leaves no folder";
    // The same under mpirun, where the message is among mpirun's own words, once.
    const auto two = decompose(arguments, 2);
    EXPECT_EQ(two.status, status) << two.err;
    EXPECT_EQ(occurrences(two.err, "tempera: error: "), 1) << two.err;
    EXPECT_THAT(two.err, testing::HasSubstr("tempera: error: " + message + "\n"));
    EXPECT_FALSE(std::filesystem::exists(folder_ / "refused"));
  }
  std::string file(const std::string& name, const std::string& text) const {
    write_text(folder_ / name, text);
    return name;
  }
  std::string good() const { return file("good.tns", "1 1 1 1.0\n2 2 2 2.0\n3 1 2 0.5\n"); }

  TemporaryFolder folder_;
};

}  // namespace tempera::test
