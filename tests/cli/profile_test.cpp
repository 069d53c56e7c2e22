#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "tests/cli/decompose_fixture.hpp"

namespace tempera::test {
namespace {

using Json = nlohmann::json;

class Profile : public DecomposeCommand {
 protected:
  /// Summary and trace of a short run.
  std::pair<Json, Json> profiled(int ranks) const {
    const std::string run = "run-" + std::to_string(ranks);
    const auto result = decompose(
        {good(), "--rank", "2", "--iterations", "4", "--tolerance", "0", "--profile", "--output", run}, ranks);
    EXPECT_EQ(result.status, 0) << result.err;
    return {json(run + "/summary.json"), json(run + "/profile.json")};
  }
};

TEST_F(Profile, TraceAndSummaryAgreeOnEveryRegionOfEveryRank) {
  for (int ranks : {0, 2, 3}) {
    const auto [summary, trace] = profiled(ranks);
    const auto count = static_cast<std::size_t>(std::max(1, ranks));
    std::map<std::pair<std::string, std::size_t>, std::pair<std::int64_t, std::int64_t>> sent;
    std::map<std::string, std::int64_t> passes;
    std::vector<bool> named(count, false);
    for (const Json& event : trace.at("traceEvents")) {
      const std::size_t rank = event.at("tid");
      ASSERT_LT(rank, count);
      if (event.at("name") == "thread_name")
        named[rank] = event.at("args").at("name") == "rank " + std::to_string(rank);
      if (event.at("ph") != "X") continue;
      auto& [messages, bytes] = sent[{event.at("cat"), rank}];
      messages += event.at("args").at("messages").get<std::int64_t>();
      bytes += event.at("args").at("bytes").get<std::int64_t>();
      if (rank == 0) ++passes[event.at("cat")];
    }
    EXPECT_EQ(named, std::vector<bool>(count, true)) << ranks;
    EXPECT_EQ(passes.at("cp-als/sweep"), 4);
    for (const Json& region : summary.at("regions")) {
      if (region.at("region") == "") continue;
      for (std::size_t rank = 0; rank < count; ++rank) {
        const auto& [messages, bytes] = sent[{region.at("region"), rank}];
        EXPECT_EQ(messages, region.at("messages_of_ranks").at(rank)) << region << " rank " << rank;
        EXPECT_EQ(bytes, region.at("bytes_of_ranks").at(rank)) << region << " rank " << rank;
      }
    }
  }
}

TEST_F(Profile, IsNotWrittenUnlessAsked) {
  ASSERT_EQ(decompose({good(), "--rank", "1", "--output", "plain"}).status, 0);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "plain/profile.json"));
  EXPECT_FALSE(json("plain/summary.json").at("regions").at(0).contains("bytes_of_ranks"));
}

TEST_F(Profile, OfAnEarlierRunIsRemovedWhenItIsOverwritten) {
  ASSERT_EQ(decompose({good(), "--rank", "1", "--profile", "--output", "twice"}).status, 0);
  ASSERT_EQ(decompose({good(), "--rank", "1", "--overwrite", "--output", "twice"}).status, 0);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "twice/profile.json"));
}

}  // namespace
}  // namespace tempera::test
