#include "tests/cli/study_kills_fixture.hpp"

namespace tempera::test {
namespace {

// tests/long has thirty.
TEST_F(StudyKills, FourAtRandomMomentsChangeNoResult) {
  const std::string file = long_study(5, 20, 5);
  start({file}, "whole", 3);
  const std::vector<std::vector<int>> counted{calls(file, 1), calls(file, 2), calls(file, 3)};
  for (const int kill : {0, 1, 2, 4}) {
    kill_and_compare(file, kill, counted, 0.5);
    if (HasFatalFailure()) return;
  }
  EXPECT_GE(broken_, 2);
}

}  // namespace
}  // namespace tempera::test
