#include <set>

#include "core/base/random_stream.hpp"
#include "tests/cli/study_fixture.hpp"
#include "tests/support/process.hpp"

namespace tempera::test {
namespace {

using drivers::PlannedRun;
using StudyPlanning = StudyFiles;

/// Stages that need earlier ones, on ranks of all kinds.
std::string random_study(RandomStream& random, int workers) {
  const int stages = 1 + static_cast<int>(9 * random.uniform());
  std::string text;
  for (int s = 0; s < stages; ++s) {
    const double kind = random.uniform();
    std::string more = "ranks = ";
    if (kind < 0.2)
      more += "\"all\"\n";
    else if (kind < 0.5)
      more += "\"" + std::to_string(1 + static_cast<int>(100 * random.uniform())) + "%\"\n";
    else
      more += std::to_string(1 + static_cast<int>(workers * random.uniform())) + "\n";
    if (random.uniform() < 0.5) more += "repeat = " + std::to_string(1 + static_cast<int>(6 * random.uniform())) + "\n";
    std::string needs;
    for (int other = 0; other < s; ++other)
      if (random.uniform() < 0.3) needs += "\"s" + std::to_string(other) + "\", ";
    text += command_stage("s" + std::to_string(s), more + "needs = [" + needs + "]\n");
  }
  return text;
}

TEST_F(StudyPlanning, NeverOverlapsRespectsNeedsAndLeavesNobodyOut) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    RandomStream random(seed, "plan");
    const int ranks = 1 + static_cast<int>(12 * random.uniform());
    const int workers = std::max(1, ranks - 1);
    const drivers::StudyGraph all = graph(random_study(random, workers));
    const auto sizes = drivers::validate(all, ranks);
    const drivers::StudyPlan plan = drivers::plan_study(all, sizes, ranks);
    ASSERT_EQ(plan.runs.size(), all.instances.size()) << "seed " << seed;
    std::vector<int> step_of(all.instances.size(), 0);
    for (const PlannedRun& run : plan.runs) {
      EXPECT_EQ(step_of[run.instance], 0) << "twice, seed " << seed;
      step_of[run.instance] = run.step;
      const bool everywhere = sizes[run.instance].ranks == kAllRanks;
      EXPECT_EQ(run.count, everywhere ? ranks : sizes[run.instance].ranks);
      EXPECT_GE(run.first, everywhere || ranks == 1 ? 0 : 1) << "the master does not work, seed " << seed;
      EXPECT_LE(run.first + run.count, ranks);
    }
    for (int step = 1; step <= plan.steps(); ++step) {
      std::set<int> busy;
      std::size_t taken = 0;
      for (const PlannedRun& run : plan.runs) {
        if (run.step != step) continue;
        taken += static_cast<std::size_t>(run.count);
        for (int rank = run.first; rank < run.first + run.count; ++rank) busy.insert(rank);
      }
      EXPECT_EQ(busy.size(), taken) << "seed " << seed << " step " << step;
      EXPECT_GT(taken, 0u) << "nobody works in step " << step << ", seed " << seed;
    }
    for (std::size_t i = 0; i < all.instances.size(); ++i)
      for (const drivers::Dependency& dependency : all.waits_for[i])
        for (const std::size_t other : all.awaited(dependency))
          EXPECT_LT(step_of[other], step_of[i]) << "seed " << seed;
  }
}

TEST_F(StudyPlanning, LargerRunsComeFirstAndOneOnAllRanksIsAlone) {
  const drivers::StudyGraph all =
      graph(command_stage("small", "repeat = 3\n") + command_stage("half", "ranks = \"50%\"\n") +
            command_stage("all", "ranks = \"all\"\n") + command_stage("last", "needs = [\"small\"]\n"));
  const auto sizes = drivers::validate(all, 5);
  const drivers::StudyPlan plan = drivers::plan_study(all, sizes, 5);
  std::vector<std::string> lines;
  for (const PlannedRun& run : plan.runs)
    lines.push_back(std::to_string(run.step) + " " + all.instances[run.instance].name + " " +
                    std::to_string(run.first) + "+" + std::to_string(run.count));
  EXPECT_EQ(lines, (std::vector<std::string>{"1 all 0+5", "2 half 1+2", "2 small[repeat=1] 3+1",
                                             "2 small[repeat=2] 4+1", "3 small[repeat=3] 1+1", "4 last 1+1"}));
}

TEST_F(StudyPlanning, IsPrintedForPeopleAndScripts) {
  file("title = \"a title\"\n" + search_stage("ranks-per-trial = 2\nbudget = 24\n") +
       decompose_stage("factor", "rank = \"{rank}\"\n") +
       decompose_stage("fit", "rank = \"search.best.rank\"\nranks = 3\nrepeat = 20\n") +
       command_stage("show", "needs = [\"fit\"]\n"));
  const ProcessSettings here{.seconds = 60, .folder = folder_.path(), .environment = {}};
  const auto shown = tempera({"run", "study.toml", "--dry-run", "--ranks", "8"}, here);
  EXPECT_EQ(shown.status, 0) << shown.err;
  EXPECT_EQ(shown.err, "");
  EXPECT_THAT(shown.out,
              testing::StartsWith("study.toml: a title\n22 runs of 4 stages in 12 steps, on 8 MPI ranks: rank 0 is the "
                                  "master, ranks 1-7 work\n\n  step  run "));
  EXPECT_THAT(shown.out, testing::ContainsRegex("\n  1     search +optimize +all 8 +- +[0-9.]+ KiB a trial\n"));
  EXPECT_THAT(shown.out, testing::ContainsRegex("\n          24 trials of factor +3 at a time +2 ranks each *\n"));
  EXPECT_THAT(shown.out,
              testing::ContainsRegex("\n  2     fit\\[repeat=2\\] +decompose +4-6 of 8 +search +[0-9.]+ KiB\n"));
  EXPECT_THAT(shown.out, testing::ContainsRegex("\n  12    show +command +1 of 8 +fit +unknown\n"));
  const auto json =
      nlohmann::json::parse(tempera({"run", "study.toml", "--dry-run", "--ranks", "8", "--json"}, here).out);
  EXPECT_EQ(json["steps"], 12);
  EXPECT_EQ(json["runs"].size(), 22u);
  EXPECT_EQ(json["runs"][2]["first_rank"], 4);
  EXPECT_EQ(json["runs"][2]["folder"], "stages/fit/repeat=2");
  const auto job = tempera_ranks(4, {"run", "study.toml", "--dry-run"}, here);
  EXPECT_EQ(job.status, 0) << job.err;
  EXPECT_EQ(occurrences(job.out, "on 4 MPI ranks"), 1) << "the ranks of the job, printed once: " << job.out;
  EXPECT_EQ(tempera({"run", "study.toml"}, here).status, 2);
}

TEST_F(StudyPlanning, For4096RanksIsPrintedAbridged) {
  std::string ranks = "[1";
  for (int r = 2; r <= 400; ++r) ranks += ", " + std::to_string(r);
  file(search_stage("ranks-per-trial = 16\nbudget = 2000\n") + decompose_stage("factor", "rank = \"{rank}\"\n") +
       decompose_stage("fit", "ranks = 7\nsweep.rank = " + ranks + "]\nneeds = [\"search\"]\n") +
       command_stage("show", "needs = [\"fit\"]\n"));
  const ProcessSettings here{.seconds = 60, .folder = folder_.path(), .environment = {}};
  const auto shown = tempera({"run", "study.toml", "--dry-run", "--ranks", "4096"}, here);
  EXPECT_EQ(shown.status, 0) << shown.err;
  EXPECT_THAT(shown.out, testing::HasSubstr("402 runs of 4 stages in 3 steps, on 4 096 MPI ranks"));
  EXPECT_THAT(shown.out, testing::ContainsRegex("… and 394 more of fit +43-2800 of 4096"));
}

TEST_F(StudyPlanning, TheExampleOfTheGuideIsAccepted) {
  const std::string page = read_text(TEMPERA_SOURCE_DIR "/drivers/guide/studies.md");
  const std::size_t begin = page.find("    title ="), end = page.find("    tempera run study.toml");
  ASSERT_LT(begin, end);
  std::filesystem::rename(folder_ / "x.tns", folder_ / "counts.tns");
  std::string example = page.substr(begin, end - begin);
  example.replace(example.find("python3"), 7, "./tool");
  EXPECT_EQ(refusal(example, 8), "");
  EXPECT_EQ(graph(example).instances.size(), 6u);
}

}  // namespace
}  // namespace tempera::test
