#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/base/random_stream.hpp"
#include "core/io/tns.hpp"
#include "tests/support/data.hpp"
#include "tests/support/process.hpp"

namespace tempera {
namespace {

/// Two million Zipf-distributed nonzeros in shuffled labels.
void write_skewed(const std::filesystem::path& path, const std::vector<Index>& shape) {
  RandomStream stream(1, "memory-test", {});
  std::vector<std::vector<Index>> labels;
  for (Index size : shape) labels.push_back(stream.permutation(size));
  TnsWriter writer(path, shape);
  std::vector<Index> cell(shape.size());
  for (int k = 0; k < 2000000; ++k) {
    for (std::size_t mode = 0; mode < shape.size(); ++mode) {
      const auto drawn = static_cast<Index>(std::pow(static_cast<double>(shape[mode]) + 1, stream.uniform())) - 1;
      cell[mode] = labels[mode][static_cast<std::size_t>(std::min(drawn, shape[mode] - 1))];
    }
    writer.append(cell, stream.uniform());
  }
  writer.commit();
}

// Growth of resident memory since MPI started, on the fullest rank, against 2.5 times what it holds: 8(N + 1) bytes a
// nonzero and its factor rows.
TEST(Memory, GrowsWithTheShareOfTheRank) {
  const test::TemporaryFolder folder;
  const std::vector<Index> shape{12000, 9000, 28000};
  write_skewed(folder / "skewed.tns", shape);
  constexpr double kRank = 16;
  for (int ranks : {1, 2, 3, 4}) {
    const auto result = test::tempera_ranks(
        ranks,
        {"decompose", "skewed.tns", "--rank", "16", "--iterations", "5", "--output", "run", "--overwrite", "--quiet"},
        {.seconds = 300, .folder = folder.path(), .environment = {}});
    ASSERT_EQ(result.status, 0) << result.err;
    const auto summary = nlohmann::json::parse(test::read_text(folder / "run/summary.json"));
    const double nonzeros = summary["nonzeros"].get<double>() * summary["balance"].get<double>() / ranks;
    double rows = 0;
    for (std::size_t mode = 0; mode < shape.size(); ++mode)
      rows += static_cast<double>(shape[mode]) / summary["grid"][mode].get<double>();
    const double promised = 2.5 * (8 * 4 * nonzeros + 8 * kRank * rows);
    EXPECT_LE(summary["memory_growth_bytes_max"].get<double>(), promised) << ranks << " ranks";
    RecordProperty("share_" + std::to_string(ranks),
                   std::to_string(summary["memory_growth_bytes_max"].get<double>() / promised));
  }
}

// What tempera plan says of the fullest rank, beforehand and on one process.
TEST(Memory, IsForeseenWithinTenPercent) {
  const test::TemporaryFolder folder;
  write_skewed(folder / "skewed.tns", {12000, 9000, 28000});
  for (const char* rank : {"16", "128"})
    for (int ranks : {1, 2, 4}) {
      const std::vector<std::string> arguments{"skewed.tns", "--rank", rank,     "--iterations", "3",
                                               "--output",   "run",    "--json", "--overwrite"};
      const test::ProcessSettings where{.seconds = 300, .folder = folder.path(), .environment = {}};
      std::vector<std::string> run{"decompose"}, plan{"plan", "--ranks", std::to_string(ranks)};
      run.insert(run.end(), arguments.begin(), arguments.end());
      plan.insert(plan.end(), arguments.begin(), arguments.end());
      ASSERT_EQ(test::tempera_ranks(ranks, run, where).status, 0);
      const auto planned = test::tempera(plan, where);
      ASSERT_EQ(planned.status, 0) << planned.err;
      const auto summary = nlohmann::json::parse(test::read_text(folder / "run/summary.json"));
      const double grown = summary["memory_growth_bytes_max"].get<double>();
      const double foreseen = nlohmann::json::parse(planned.out)["memory"]["bytes_max"].get<double>();
      EXPECT_NEAR(foreseen, grown, 0.1 * grown) << ranks << " ranks, rank " << rank << ": " << planned.out.substr(0, 900);
      RecordProperty(std::string("rank_") + rank + "_on_" + std::to_string(ranks), std::to_string(foreseen / grown));
    }
}

}  // namespace
}  // namespace tempera
