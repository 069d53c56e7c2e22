#pragma once

#include <string>
#include <vector>

#include "core/io/tns.hpp"
#include "tests/support/command_runs.hpp"
#include "tests/support/tensors.hpp"

namespace tempera::test {

/// A folder to run `tempera sample` in, and to compare what its runs leave.
class SampleCommand : public CommandRuns {
 protected:
  SampleCommand() : CommandRuns("sample") {}

  ProcessResult sample(const Arguments& arguments, int ranks = 0) const { return run(arguments, ranks); }
  void expect_refusal(const Arguments& arguments, int status, const std::string& message, bool on_ranks = true) const {
    expect_refusal_of(arguments, status, message, on_ranks);
  }
  /// 25 counts in 6 × 5 × 4 cells.
  std::string counts() const {
    SparseTensor tensor({6, 5, 4});
    for (Index k = 0; k < 25; ++k)
      tensor.append(std::vector<Index>{k * 7 % 6, k * 3 % 5, k * 5 % 4}, static_cast<double>(1 + k % 3));
    write_tns(folder_ / "counts.tns", tensor);
    return "counts.tns";
  }

  /// The summary but for what is of this process: times, memory and traffic, and the number of ranks.
  Json result_of(const std::string& name) const {
    Json summary = json(name + "/summary.json");
    for (const char* key : {"seconds", "mpi_ranks", "memory_growth_bytes_max", "regions"}) summary.erase(key);
    return summary;
  }
  /// Draws to the bit, and everything that is said about them.
  void expect_equal_runs(const std::string& name, const std::string& other) const {
    ASSERT_TRUE(std::filesystem::exists(path(name) / "draws.nc"));
    EXPECT_EQ(text(name + "/draws.nc") == text(other + "/draws.nc"), true) << "draws differ in their bytes";
    EXPECT_EQ(result_of(name), result_of(other));
  }
};

}  // namespace tempera::test
