#include <chrono>

#include "tests/cli/study_kills_fixture.hpp"

namespace tempera::test {
namespace {

TEST_F(StudyKills, ThirtyAtRandomMomentsChangeNoResult) {
  const std::string file = long_study(10, 60, 6);
  const auto begin = std::chrono::steady_clock::now();
  start({file}, "whole", 3);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::vector<std::vector<int>> counted;
  for (const int ranks : {1, 2, 3, 4}) counted.push_back(calls(file, ranks));
  int tries = 0;
  for (; broken_ < 30 && tries < 60; ++tries) {  // some come after the end
    kill_and_compare(file, tries, counted, seconds);
    if (HasFatalFailure()) return;
  }
  EXPECT_EQ(broken_, 30);
  RecordProperty("tries", tries);
}

}  // namespace
}  // namespace tempera::test
