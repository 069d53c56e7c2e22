#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/io/tns.hpp"
#include "tests/support/data.hpp"
#include "tests/support/running_process.hpp"
#include "tests/support/tensors.hpp"

namespace tempera::test {

/// A folder to run `tempera sample` in, and to compare what its runs leave.
class SampleCommand : public testing::Test {
 protected:
  using Arguments = std::vector<std::string>;
  using Json = nlohmann::json;

  static Arguments with(Arguments arguments, const Arguments& more) {
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  /// `sample` with these and --output NAME.
  static Arguments run_of(const Arguments& arguments, const std::string& name) {
    return with(with({"sample"}, arguments), {"--output", name});
  }

  ProcessSettings here() const { return {.seconds = 120, .folder = folder_.path(), .environment = {}}; }
  ProcessResult sample(const Arguments& arguments, int ranks = 0) const {
    return tempera_ranks(ranks, with({"sample"}, arguments), here());
  }
  ProcessResult resume(int ranks, const std::string& name, const Arguments& more = {}) const {
    return tempera_ranks(ranks, with({"resume", name}, more), here());
  }
  /// A run that must come to its end.
  void start(const Arguments& arguments, const std::string& name, int ranks = 0) const {
    const auto result = sample(with(arguments, {"--output", name}), ranks);
    ASSERT_EQ(result.status, 0) << result.err;
  }

  std::filesystem::path path(const std::string& name) const { return folder_ / name; }
  std::string text(const std::string& name) const { return read_text(folder_ / name); }
  Json json(const std::string& name) const { return Json::parse(text(name)); }
  std::string file(const std::string& name, const std::string& text) const {
    write_text(folder_ / name, text);
    return name;
  }
  /// 25 counts in 6 × 5 × 4 cells.
  std::string counts() const {
    SparseTensor tensor({6, 5, 4});
    for (Index k = 0; k < 25; ++k)
      tensor.append(std::vector<Index>{k * 7 % 6, k * 3 % 5, k * 5 % 4}, static_cast<double>(1 + k % 3));
    write_tns(folder_ / "counts.tns", tensor);
    return "counts.tns";
  }

  /// The summary but for what is of this process: times and the number of ranks.
  Json result_of(const std::string& name) const {
    Json summary = json(name + "/summary.json");
    summary.erase("seconds");
    summary.erase("mpi_ranks");
    return summary;
  }
  /// Draws to the bit, and everything that is said about them.
  void expect_equal_runs(const std::string& name, const std::string& other) const {
    ASSERT_TRUE(std::filesystem::exists(path(name) / "draws.nc"));
    EXPECT_EQ(text(name + "/draws.nc") == text(other + "/draws.nc"), true) << "draws differ in their bytes";
    EXPECT_EQ(result_of(name), result_of(other));
  }

  /// The refusal: this status, this message (nothing else on standard error), no run folder; under mpirun too, once.
  void expect_refusal(Arguments arguments, int status, const std::string& message, bool on_ranks = true) const {
    arguments.insert(arguments.end(), {"--output", "refused"});
    const auto result = sample(arguments);
    EXPECT_EQ(result.status, status) << message;
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(result.err, "tempera: error: " + message + "\n");
    EXPECT_FALSE(std::filesystem::exists(folder_ / "refused")) << "a refused run leaves no folder";
    if (!on_ranks) return;
    const auto two = sample(arguments, 2);
    EXPECT_EQ(two.status, status) << two.err;
    EXPECT_EQ(occurrences(two.err, "tempera: error: "), 1) << two.err;
    EXPECT_THAT(two.err, testing::HasSubstr("tempera: error: " + message + "\n"));
    EXPECT_FALSE(std::filesystem::exists(folder_ / "refused"));
  }

  TemporaryFolder folder_;
};

}  // namespace tempera::test
