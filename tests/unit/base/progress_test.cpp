#include "core/base/progress.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/base/error.hpp"
#include "tests/support/data.hpp"

namespace tempera {
namespace {

/// A Progress on a file, with a clock that the test moves.
struct Screen {
  Screen() : stream(std::fopen((folder / "screen").c_str(), "w")) {}
  ~Screen() { std::fclose(stream); }
  ProgressSettings settings() {
    ProgressSettings result;
    result.stream = stream;
    result.clock = [this] { return now; };
    return result;
  }
  std::string text() const {
    std::fflush(stream);
    return test::read_text(folder / "screen");
  }

  test::TemporaryFolder folder;
  std::FILE* stream;
  double now = 100;
};

TEST(Progress, PlainLinesAreThrottledAndTheLastIsAlwaysWritten) {
  Screen screen;
  Progress progress(screen.settings());
  for (int i = 1; i <= 14; ++i) {
    progress.step({{"iteration", i}}, "iteration " + std::to_string(i));
    screen.now += 1;
  }
  EXPECT_EQ(screen.text(), "iteration 1\niteration 6\niteration 11\n");
  progress.finish();
  progress.finish();
  EXPECT_EQ(screen.text(), "iteration 1\niteration 6\niteration 11\niteration 14\n");
}

TEST(Progress, ALastLineAlreadyShownIsNotRepeated) {
  Screen screen;
  {
    Progress progress(screen.settings());
    progress.step({}, "only");
  }
  EXPECT_EQ(screen.text(), "only\n");
}

TEST(Progress, TheLiveLineIsRewrittenAndBlankedWhereItGotShorter) {
  Screen screen;
  ProgressSettings settings = screen.settings();
  settings.live = true;
  {
    Progress progress(settings);
    progress.step({}, "long line");
    screen.now += 1;
    progress.step({}, "short");
    progress.note("kept");
    screen.now += 1;
    progress.step({}, std::string(100, 'x'));
  }
  EXPECT_EQ(screen.text(), "\rlong line\rshort    \r     \rkept\n\r" + std::string(76, 'x') + "...\n");
}

TEST(Progress, QuietShowsNothingButKeepsTheLogWithOneObjectAStep) {
  Screen screen;
  ProgressSettings settings = screen.settings();
  settings.quiet = true;
  settings.log = screen.folder / "progress.jsonl";
  test::write_text(settings.log, "{\"iteration\":0}\n");
  Progress progress(settings);
  for (int i = 1; i <= 3; ++i) {
    progress.step({{"iteration", i}, {"fit", 0.5}}, "hidden");
    EXPECT_TRUE(test::read_text(settings.log).ends_with("{\"iteration\":" + std::to_string(i) + ",\"fit\":0.5}\n"));
  }
  progress.note("hidden");
  progress.finish();
  EXPECT_EQ(screen.text(), "");
  EXPECT_TRUE(test::read_text(settings.log).starts_with("{\"iteration\":0}\n{\"iteration\":1,"));
}

TEST(Progress, ALogThatCannotBeWrittenIsAnErrorOfTheEnvironment) {
  ProgressSettings settings;
  settings.log = "/nowhere/progress.jsonl";
  try {
    Progress progress(settings);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.category(), Category::environment);
    EXPECT_EQ(error.where(), "/nowhere/progress.jsonl");
  }
  settings.quiet = true;
  settings.log = "/dev/full";
  Progress progress(settings);
  EXPECT_THROW(progress.step({{"iteration", 1}}, ""), Error);
}

}  // namespace
}  // namespace tempera
