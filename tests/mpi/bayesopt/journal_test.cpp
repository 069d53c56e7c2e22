#include "distributed/bayesopt/journal.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <optional>

#include "core/base/error.hpp"
#include "distributed/bayesopt/optimization.hpp"
#include "distributed/bayesopt/run_record.hpp"
#include "distributed/bayesopt/scheduler.hpp"
#include "distributed/bayesopt/source_run.hpp"
#include "tests/mpi/bayesopt/scripted_trials.hpp"
#include "tests/support/data.hpp"

namespace tempera::test {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

std::vector<JournalEntry> entries_of_all_kinds() {
  TrialResult ok;
  ok.value = 0.1 + 0.2;
  ok.constraints = {{"c1", -1e-300}, {"kältē", 3.0}};
  ok.cost = 12.5;
  ok.seconds = 1.0 / 3;
  TrialResult bad;
  bad.status = TrialStatus::crashed;
  bad.reason = "killed by signal 11\nand \"quotes\", ☂";
  bad.seconds = 5e-324;
  return {{0, BeginEvent{{{"parameters", {1, 2}}}, {{"seed", 0}}}},
          {0.5, SessionEvent{8}},
          {1, ProposeEvent{0, {0.1, std::numeric_limits<double>::quiet_NaN(), 3}, {{"rule", "sobol"}}, 0, {}, 0.001}},
          {2, ProposeEvent{1, {1.0 / 3, 2, 0}, {{"acquisition", -1e308}}, 3, {0}, 0}},
          {3, StartEvent{0, 0, 7}},
          {4, ResultEvent{0, 0, ok}},
          {5, StartEvent{1, 2, 0}},
          {6, ResultEvent{1, 2, bad}},
          {7, StopEvent{"budget"}}};
}

std::string text_of(const std::vector<JournalEntry>& entries) {
  std::string text;
  for (const JournalEntry& entry : entries) text += std::to_string(entry.seconds) + to_json(entry.event).dump() + "\n";
  return text;
}

std::string error_of(const fs::path& path) {
  try {
    Journal::read(path);
  } catch (const Error& error) {
    EXPECT_EQ(error.category(), Category::input);
    return error.where() + ": " + error.what_is_wrong();
  }
  return "none";
}

struct JournalFile : testing::Test {
  JournalFile() {
    Journal journal = Journal::create(path);
    for (const JournalEntry& entry : entries) journal.append(entry);
  }
  std::vector<std::string> lines() const {
    std::vector<std::string> all;
    const std::string text = read_text(path);
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = text.find('\n', at) + 1;
      all.push_back(text.substr(at, end - at));
      at = end;
    }
    return all;
  }

  TemporaryFolder folder;
  fs::path path = folder / "journal.jsonl";
  std::vector<JournalEntry> entries = entries_of_all_kinds();
};

TEST_F(JournalFile, GoesOnWhileItIsOnItsWayToTheDisk) {
  const fs::path other = folder / "other.jsonl";
  {
    std::optional<Journal> journal = Journal::create(other);
    for (std::size_t k = 0; k < entries.size(); ++k) {
      journal->append(entries[k]);
      journal->begin_sync();
      if (k == 3) journal.emplace(Journal(std::move(*journal)));
      if (k == 5) journal->sync();
      if (k == 7) journal->restore();
    }
  }
  EXPECT_EQ(text_of(Journal::read(other)), text_of(entries));
}

TEST_F(JournalFile, GivesBackEveryEventToTheBit) {
  const auto read = Journal::read(path);
  EXPECT_EQ(text_of(read), text_of(entries));
  const auto& result = std::get<ResultEvent>(read[5].event).result;
  EXPECT_EQ(result.value, 0.1 + 0.2);
  EXPECT_EQ(result.constraints.at("c1"), -1e-300);
  EXPECT_TRUE(std::isnan(std::get<ResultEvent>(read[7].event).result.value));
  EXPECT_TRUE(std::isnan(std::get<ProposeEvent>(read[2].event).point[1]));
}

TEST_F(JournalFile, LinesAreObjectsWithNumbersAndZlibsChecksum) {
  EXPECT_EQ(lines()[4],
            R"({"sequence":4,"at_seconds":3.0,"event":"start","number":0,"attempt":0,"worker":7,"crc32":")" +
                nlohmann::json::parse(lines()[4]).at("crc32").get<std::string>() + "\"}\n");
  // crc32 of the text, by an independent program.
  EXPECT_THAT(lines()[8],
              HasSubstr(R"({"sequence":8,"at_seconds":7.0,"event":"stop","reason":"budget","crc32":"2c898f36"})"));
}

TEST_F(JournalFile, CutAtAnyByteItLosesOnlyTheLineThatWasBeingWritten) {
  const std::string whole = read_text(path);
  for (std::size_t size = 0; size <= whole.size(); size += size + 100 < whole.size() ? 23 : 1) {
    write_text(path, whole.substr(0, size));
    std::vector<JournalEntry> kept;
    {
      Journal journal = Journal::reopen(path, kept);
      const auto ends =
          static_cast<std::size_t>(std::count(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size), '\n'));
      ASSERT_EQ(kept.size(), ends);
      journal.append(entries.back());
    }
    const auto again = Journal::read(path);
    ASSERT_EQ(again.size(), kept.size() + 1);
    kept.push_back(entries.back());
    ASSERT_EQ(text_of(again), text_of(kept));
  }
}

TEST_F(JournalFile, AnyChangedByteIsFoundWithItsLine) {
  const std::string whole = read_text(path);
  for (std::size_t at = 0; at < whole.size(); at += 3) {
    const auto line = 1 + std::count(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(at), '\n');
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    write_text(path, changed);
    if (at + 1 == whole.size()) break;  // without its end the last line counts as unfinished
    ASSERT_THAT(error_of(path), HasSubstr("journal.jsonl:" + std::to_string(line) + ": ")) << at;
  }
}

TEST_F(JournalFile, MissingSwappedAndStrangeLinesAreRefused) {
  const auto all = lines();
  const auto joined = [&](std::vector<std::string> some) {
    std::string text;
    for (const auto& line : some) text += line;
    write_text(path, text);
    return error_of(path);
  };
  EXPECT_THAT(joined({all[0], all[2]}), HasSubstr("journal.jsonl:2: has number 2, 1 should be there"));
  EXPECT_THAT(joined({all[0], all[2], all[1]}), HasSubstr("journal.jsonl:2: has number 2"));
  EXPECT_THAT(joined({all[0], all[0]}), HasSubstr("journal.jsonl:2: has number 0, 1 should be there"));
  EXPECT_THAT(joined({all[0], "\n", all[1]}), HasSubstr("journal.jsonl:2: is no line of a journal"));
  EXPECT_THAT(joined({all[0], "{}\n"}), HasSubstr("journal.jsonl:2: is no line of a journal"));
  EXPECT_THAT(error_of(folder / "absent"), HasSubstr("absent: the journal of the run cannot be read"));
}

TEST_F(JournalFile, OnlyOneBeginsAFileAndItCanBeMadeAgain) {
  EXPECT_THROW(Journal::create(path), Error);
  std::vector<JournalEntry> kept;
  Journal journal = Journal::reopen(path, kept);
  const std::string before = read_text(path);
  fs::remove(path);
  journal.restore();
  EXPECT_EQ(read_text(path), before);
  journal.append(entries.back());
  EXPECT_EQ(Journal::read(path).size(), entries.size() + 1);
}

TEST(Journal, ASchedulerFromTheFileIsTheOneThatWroteIt) {
  const TemporaryFolder folder;
  SchedulerOptions options;
  options.budget = 50;
  options.max_retries = 1;
  Scheduler live(options);
  DigestProposer proposer;
  std::vector<JournalEntry> entries;
  simulate(live, proposer, scripted_workers(5, 0.2, 0.2, 1), entries, 60);
  {
    Journal journal = Journal::create(folder / "journal.jsonl");
    for (const JournalEntry& entry : entries) journal.append(entry);
  }
  Scheduler replayed(options);
  for (const JournalEntry& entry : Journal::read(folder / "journal.jsonl")) replayed.apply(entry.event);
  EXPECT_EQ(state_of(replayed), state_of(live));
}

std::vector<SourceTrials> two_sources() {
  TrialResult ok, bad;
  ok.value = 1.0 / 3;
  ok.constraints = {{"c1", -0.1}};
  bad.status = TrialStatus::timeout;
  bad.reason = "took longer";
  return {{"runs/a", false, {{3, {0.1 + 0.2, 4}, ok}, {5, {0.5, std::nan("")}, bad}}, 2, {"2 trials left out"}},
          {"runs/b", true, {{0, {0.25, 1}, ok}}, 0, {}}};
}

TEST(Journal, SourcesOfAWarmStartComeBackToTheBitWheneverTheProcessDied) {
  const TemporaryFolder folder;
  const fs::path path = folder / "journal.jsonl";
  const Space space({{.name = "x"}, {.name = "y"}});
  OptimizationOptions options;
  options.journal = path;
  options.sources = two_sources();
  { const RunRecord run(space, options); }
  const std::string whole = read_text(path);
  EXPECT_EQ(std::count(whole.begin(), whole.end(), '\n'), 3);
  const auto read = recorded_sources(path);
  ASSERT_EQ(read.size(), 2u);
  EXPECT_EQ(read[0].trials[0].point[0], 0.1 + 0.2);
  EXPECT_TRUE(std::isnan(read[0].trials[1].point[1]));
  EXPECT_EQ(read[0].trials[1].result.status, TrialStatus::timeout);
  EXPECT_EQ(read[0].notes, options.sources[0].notes);
  EXPECT_TRUE(read[1].same_task);
  const auto events = [&] {
    std::string text;
    for (const JournalEntry& entry : Journal::read(path)) text += to_json(entry.event).dump() + "\n";
    return text;
  };
  const std::string all = events();
  for (std::size_t size = 0; size <= whole.size(); size += 29) {
    write_text(path, whole.substr(0, size));
    { const RunRecord run(space, options); }
    ASSERT_EQ(events(), all) << size;
  }
}

TEST(Journal, ARunIsASourceWithTheLastResultOfEachTrial) {
  const TemporaryFolder folder;
  const Space space({{.name = "x"}, {.name = "y"}});
  OptimizationOptions options;
  options.journal = folder / "journal.jsonl";
  options.scheduler.max_retries = 1;
  options.configuration = {{"direction", "maximize"}};
  TrialResult crashed, ok;
  crashed.status = TrialStatus::crashed;
  ok.value = 2;
  {
    RunRecord run(space, options);
    for (Index number = 0; number < 3; ++number) run.record(ProposeEvent{number, {0.1, 0.5}, {}, 0, {}, 0});
    run.record(StartEvent{0, 0, 0});
    run.record(StartEvent{1, 0, 0});
    run.record(ResultEvent{1, 0, ok});
    run.record(ResultEvent{0, 0, crashed});
    run.record(StartEvent{0, 1, 0});
    run.record(ResultEvent{0, 1, ok});
    run.record(StartEvent{2, 0, 0});  // on its way
  }
  const SourceRun source = read_source_run(folder.path());
  EXPECT_EQ(source.space.description(), space.description());
  EXPECT_EQ(source.configuration.at("direction"), "maximize");
  ASSERT_EQ(source.trials.size(), 2u);
  EXPECT_EQ(source.trials[0].number, 0);
  EXPECT_EQ(source.trials[0].result.status, TrialStatus::ok);
  write_text(folder / "journal.jsonl", "");
  EXPECT_THROW(read_source_run(folder.path()), Error);
  EXPECT_TRUE(recorded_sources(folder / "absent").empty());
}

}  // namespace
}  // namespace tempera::test
