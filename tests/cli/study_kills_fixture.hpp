#pragma once

#include <csignal>

#include "tests/cli/study_run_fixture.hpp"
#include "tests/support/faults.hpp"

namespace tempera::test {

/// A study of all engines that is killed and goes on on other ranks.
class StudyKills : public StudyRuns {
 protected:
  /// A batch search over decompositions, the fit with the best rank, its posterior and a command; beside them an asynchronous
  /// search.
  std::string long_study(int budget, int iterations, int rounds) const {
    script("report.sh", "grep -q '\"fit\"' \"$1/summary.json\" && test -f \"$2\" && echo \"{\\\"rank\\\": $3}\"\n");
    return study("seed = 5\n" + search(budget, iterations, "ranks = 1\n") +
                 "[stage.free]\nengine = \"optimize\"\nobjective = \"branin\"\nbudget = 12\nhyperparameters = \"map\"\n"
                 "ranks = 1\n" +
                 fit("fit", "rank = \"search.best.rank\"\ncheckpoint-every = \"10it\"\niterations = " +
                                std::to_string(4 * iterations) + "\n") +
                 "[stage.posterior]\nengine = \"sample\"\ntensor = \"counts.tns\"\nlikelihood = \"poisson\"\n"
                 "rank = \"fit.rank\"\nreplicas = 4\ncheckpoint-every = \"20it\"\nrounds = " +
                 std::to_string(rounds) + "\n" +
                 command("report", "./report.sh {fit.folder} {posterior.draws} {fit.rank}"));
  }

  /// Calls that change files of the run, of each rank of a job of so many.
  std::vector<int> calls(const std::string& file, int ranks) const {
    const auto result =
        tempera_ranks(ranks, run_of({file}, "counted"), with_fault({.path = "/counted/", .log = path("log")}, here()));
    EXPECT_EQ(result.status, 0) << result.err;
    std::vector<int> count(static_cast<std::size_t>(ranks), 0);
    for (const FileCall& call : read_fault_log(path("log")))
      count[static_cast<std::size_t>(call.rank)] = std::max(count[static_cast<std::size_t>(call.rank)], call.number);
    std::filesystem::remove(path("log"));
    std::filesystem::remove_all(path("counted"));
    return count;
  }

  /// What was there goes on: a run that had ended well has not begun again, and journals have only grown.
  struct Left {
    std::string journal, free;
    std::map<std::string, std::vector<std::string>> ends;
  };
  Left look(const std::string& name) const {
    Left left{text(name + "/journal.jsonl"), "", {}};
    if (std::filesystem::exists(path(name + "/stages/free/journal.jsonl")))
      left.free = text(name + "/stages/free/journal.jsonl");
    for (std::string* journal : {&left.journal, &left.free}) journal->resize(journal->rfind('\n') + 1);
    left.ends = ends(name);
    return left;
  }
  void expect_gone_on(const std::string& name, const Left& left) const {
    EXPECT_TRUE(text(name + "/journal.jsonl").starts_with(left.journal));
    EXPECT_TRUE(text(name + "/stages/free/journal.jsonl").starts_with(left.free));
    for (const auto& [run, status] : ends(name)) {
      EXPECT_EQ(std::count(status.begin(), status.end(), "done"), 1) << run;
      EXPECT_EQ(status.back(), "done") << run;
    }
    EXPECT_EQ(json(name + "/stages/free/summary.json")["trials"], 12);
    EXPECT_EQ(json(name + "/manifest.json")["exit_status"], 0);
  }

  /// One kill, at a random call of one rank or at a random time of one or of all, then it goes on on another number of ranks.
  /// @param calls    what calls() says for each number of ranks from 1
  /// @param seconds  that the whole study takes
  void kill_and_compare(const std::string& file, int kill, const std::vector<std::vector<int>>& calls,
                        double seconds) const {
    RandomStream random(20260301, "study-kill", {kill});
    const auto ranks = static_cast<int>(1 + random.uniform_index(static_cast<Index>(calls.size())));
    const int resumed = (ranks + static_cast<int>(random.uniform_index(3))) % 4 + 1;  // another number
    const int victim = static_cast<int>(random.uniform_index(ranks));
    const bool all = random.uniform_index(2) == 0;
    const int most = calls[static_cast<std::size_t>(ranks - 1)][static_cast<std::size_t>(victim)];
    const bool at_call = kill % 2 == 0 && most > 0;
    const int call = most > 0 ? 1 + static_cast<int>(random.uniform_index(most)) : 0;
    const double moment = seconds * random.uniform();
    SCOPED_TRACE("kill " + std::to_string(kill) + ": " + std::to_string(ranks) + " → " + std::to_string(resumed) +
                 " ranks, rank " + std::to_string(victim) +
                 (at_call ? " at call " + std::to_string(call)
                          : (all ? " and all others" : "") + std::string(" after ") + std::to_string(moment) + " s"));
    std::filesystem::remove_all(path("run"));
    Fault fault{.path = "/run/", .call = call, .action = call % 2 == 0 ? "kill" : "kill-after", .rank = victim};
    RunningProcess job =
        tempera_in_background(ranks, run_of({file}, "run"), at_call ? with_fault(fault, here()) : here());
    if (!at_call) {
      ASSERT_TRUE(wait_until([&] { return std::filesystem::exists(path("run/journal.jsonl")); }, 60, &job));
      static_cast<void>(wait_until([] { return false; }, moment, &job));
      if (all)
        job.kill_all();
      else
        job.signal_rank(victim, SIGKILL);
    }
    const auto killed = job.wait();
    if (!std::filesystem::exists(path("run/manifest.json"))) return;  // before it began to exist: nothing is there
    const bool has_ended = killed.status == 0;                        // it was quicker
    EXPECT_TRUE(has_ended || killed.status == kKilled) << killed.err;
    broken_ += has_ended ? 0 : 1;
    const Left left = std::filesystem::exists(path("run/journal.jsonl")) ? look("run") : Left{};
    const auto result = resume(resumed, "run");
    ASSERT_EQ(result.status, 0) << result.err;
    expect_same_results("run", "whole", {"free"});
    expect_gone_on("run", left);
  }

  mutable int broken_ = 0;  ///< kills that came before the study had ended, and after it had begun
};

}  // namespace tempera::test
