#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "distributed/checkpoint/journal_file.hpp"
#include "drivers/commands/status/study_trace.hpp"
#include "drivers/commands/status/trace_text.hpp"
#include "tests/support/data.hpp"

namespace tempera::drivers {
namespace {

using nlohmann::ordered_json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// A journal written by hand.
class StudyTraces : public testing::Test {
 protected:
  void session(double at, int ranks) { add({{"at_seconds", at}, {"event", "session"}, {"mpi_ranks", ranks}}); }
  void start(double at, const std::string& run, int first, int count = 1) {
    add({{"at_seconds", at}, {"event", "start"}, {"run", run}, {"first_rank", first}, {"ranks", count}});
  }
  void end(double at, const std::string& run, const std::string& status, double seconds) {
    add({{"at_seconds", at}, {"event", "end"}, {"run", run}, {"status", status}, {"seconds", seconds}});
  }
  void add(ordered_json entry) { entries_.push_back(std::move(entry)); }

  /// Two workers, the second of which waits for a second; then one rank that does nothing for two.
  void two_sessions() {
    session(0, 3);
    start(0, "a", 1);
    start(0, "b", 2);
    end(5, "b", "done", 5);
    start(6, "c", 2);
    end(10, "a", "left", 10);
    end(10, "c", "done", 4);
    session(10, 1);
    start(10, "a", 0);
    end(15, "a", "done", 5);
    start(17, "d", 0);
    end(20, "d", "failed", 3);
  }

  StudyTrace trace() {
    notes_.clear();
    return {entries_, notes_};
  }
  std::filesystem::path file() const {
    JournalFile journal = JournalFile::create(folder_ / "journal.jsonl");
    for (const ordered_json& entry : entries_) journal.append(entry);
    return folder_ / "journal.jsonl";
  }

  test::TemporaryFolder folder_;
  std::vector<ordered_json> entries_;
  std::vector<std::string> notes_;
};

TEST_F(StudyTraces, BusyFractionIsThatOfTheWorkersOfEachSession) {
  two_sessions();
  EXPECT_DOUBLE_EQ(trace().busy_fraction(), (10.0 + 5 + 4 + 5 + 3) / (2 * 10 + 1 * 10));
  EXPECT_THAT(notes_, IsEmpty());
}

TEST_F(StudyTraces, WhatTheMasterDoesBesideItsWorkersIsNotTheirWork) {
  session(0, 3);
  start(0, "command", 0);
  start(0, "a", 1, 2);
  end(4, "a", "done", 4);
  start(4, "all", 0, 3);
  end(6, "all", "done", 2);
  end(8, "command", "done", 8);
  EXPECT_DOUBLE_EQ(trace().busy_fraction(), (4.0 * 2 + 2 * 2) / (8 * 2));
}

TEST_F(StudyTraces, TimeBetweenSessionsCountsForNobody) {
  session(0, 2);
  start(1, "a", 1);  // what came before the first beginning is not counted either
  end(3, "a", "left", 2);
  session(100, 2);
  start(100, "a", 1);
  end(104, "a", "done", 4);
  EXPECT_DOUBLE_EQ(trace().busy_fraction(), 1);
}

TEST_F(StudyTraces, EmptyJournalsHaveNoFigures) {
  EXPECT_EQ(trace().busy_fraction(), 0);
  EXPECT_EQ(trace_text(trace()), "");
  session(0, 2);
  EXPECT_EQ(trace().busy_fraction(), 0);
  EXPECT_EQ(trace_text(trace()), "");
}

TEST_F(StudyTraces, RunsStandAsTheirLastLineSays) {
  two_sessions();
  const StudyTrace result = trace();
  EXPECT_EQ(result.find("a")->phase, RunPhase::done);
  EXPECT_EQ(result.find("a")->ranks, (RankSpan{0, 1}));
  EXPECT_DOUBLE_EQ(result.find("a")->seconds, 15);
  EXPECT_EQ(result.find("d")->phase, RunPhase::failed);
  EXPECT_EQ(result.find("e"), nullptr);
  EXPECT_EQ(result.seconds(), 20);
  EXPECT_EQ(result.sessions().size(), 2u);
  EXPECT_EQ(result.sessions()[0].ended, 10);
}

TEST_F(StudyTraces, WhatRanWhenTheProcessDiedHasBrokenOff) {
  session(0, 3);
  start(0, "a", 1);
  start(2, "b", 2);
  StudyTrace died = trace();
  EXPECT_EQ(died.find("a")->phase, RunPhase::running);
  died.close(6, false);
  EXPECT_EQ(died.find("a")->phase, RunPhase::broken);
  EXPECT_EQ(died.seconds(), 6);
  EXPECT_DOUBLE_EQ(died.busy_fraction(), (6.0 + 4) / 12);
  StudyTrace alive = trace();
  alive.close(6, true);
  EXPECT_EQ(alive.find("b")->phase, RunPhase::running);
  EXPECT_DOUBLE_EQ(alive.busy_fraction(), (6.0 + 4) / 12);

  session(2, 1);  // a resume: they wait again
  EXPECT_EQ(trace().find("a")->phase, RunPhase::waiting);
  EXPECT_EQ(trace().spans()[0].end, RunPhase::broken);
}

TEST_F(StudyTraces, AreDrawnAsRanksOverTime) {
  two_sessions();
  EXPECT_EQ(trace_text(trace(), {.columns = 20}),
            "  rank 0        ..........AAAAA..DD!\n"
            "  rank 1        AAAAAAAAAA..........\n"
            "  rank 2        BBBBB.CCCC..........\n"
            "                0 s           20.0 s\n"
            "  A a   B b   C c   D d   . idle   ! failed or broken off\n"
            "  resumed after 10.0 s of work, on 1 MPI rank\n");
}

TEST_F(StudyTraces, RanksOfAnOptimizeRunWithoutATrialAreMarked) {
  session(0, 3);
  start(0, "search", 0, 3);
  end(10, "search", "done", 10);
  start(10, "fit", 1, 2);
  end(20, "fit", "done", 10);
  const std::vector<TrialSpan> trials{{0, {1, 1}, 1, 5}, {0, {1, 1}, 5, 10}, {0, {2, 1}, 2, 8}};
  EXPECT_EQ(trace_text(trace(), {.columns = 20}, trials),
            "  rank 0        ----------..........\n"
            "  rank 1        -AAAAAAAAABBBBBBBBBB\n"
            "  rank 2        --AAAAAA--BBBBBBBBBB\n"
            "                0 s           20.0 s\n"
            "  A search   B fit   - no trial   . idle\n");
}

TEST_F(StudyTraces, OfManyRanksShareRowsAndOfManyRunsLetters) {
  session(0, 1025);
  start(0, "wide", 1, 512);
  end(5, "wide", "done", 5);
  EXPECT_EQ(trace_text(trace(), {.columns = 10, .rows = 2}),
            "  ranks 0-512     AAAAAAAAAA\n"
            "  ranks 513-1024  ..........\n"
            "                  0 s 5.00 s\n"
            "  A wide   . idle\n");
  for (int run = 0; run < 40; ++run) {
    const std::string name = (run % 2 == 0 ? "even[n=" : "odd[n=") + std::to_string(run) + "]";
    start(5 + run, name, 600);
    end(6 + run, name, "done", 1);
  }
  EXPECT_THAT(trace_text(trace(), {.columns = 45}), HasSubstr("  A wide   B even   C odd   . idle\n"));
}

TEST_F(StudyTraces, DamagedJournalsCountUntilTheDamage) {
  two_sessions();
  std::string text = test::read_text(file());
  EXPECT_EQ(StudyTrace::read(folder_ / "journal.jsonl", notes_).seconds(), 20);
  EXPECT_THAT(notes_, IsEmpty());
  test::write_text(folder_ / "torn.jsonl", text.substr(0, text.size() - 7));
  EXPECT_EQ(StudyTrace::read(folder_ / "torn.jsonl", notes_).find("d")->phase, RunPhase::running);
  EXPECT_THAT(notes_, IsEmpty());
  text[text.find("\"b\"") + 1] = 'x';  // line 3
  test::write_text(folder_ / "bad.jsonl", text);
  const StudyTrace bad = StudyTrace::read(folder_ / "bad.jsonl", notes_);
  EXPECT_EQ(bad.runs().size(), 1u);
  EXPECT_THAT(notes_, ElementsAre(HasSubstr("bad.jsonl:3: the checksum is wrong; what comes after is not shown")));
  notes_.clear();
  EXPECT_THAT(StudyTrace::read(folder_ / "absent.jsonl", notes_).runs(), IsEmpty());
  EXPECT_THAT(notes_, IsEmpty());
}

TEST_F(StudyTraces, LinesWithoutSenseAreLeftOut) {
  start(0, "before any session", 1);
  session(0, 2);
  for (const char* text :
       {"{}", "[]", "7", R"({"event":"start"})", R"({"at_seconds":1,"event":"start","run":"a"})",
        R"({"at_seconds":1,"event":"start","run":"a","first_rank":-1,"ranks":1})",
        R"({"at_seconds":1,"event":"start","run":"a","first_rank":0,"ranks":1e12})",
        R"({"at_seconds":1,"event":"start","run":["a"],"first_rank":0,"ranks":1})",
        R"({"at_seconds":1,"event":"end","run":"a","status":"well"})",
        R"({"at_seconds":"1","event":"session","mpi_ranks":2})", R"({"at_seconds":1,"event":"session","mpi_ranks":0})",
        R"({"at_seconds":-1,"event":"begin"})"})
    add(ordered_json::parse(text));
  start(2, "good", 1);
  end(3, "good", "done", 1);
  EXPECT_EQ(trace().find("good")->phase, RunPhase::done);
  EXPECT_THAT(notes_, ElementsAre("13 lines of the journal cannot be understood"));
}

}  // namespace
}  // namespace tempera::drivers
