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
  for (int kill = 0; kill < 30; ++kill) {
    kill_and_compare(file, kill, counted, seconds);
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace tempera::test
