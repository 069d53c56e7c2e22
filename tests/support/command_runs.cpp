#include "tests/support/command_runs.hpp"

#include <csignal>

namespace tempera::test {

CommandRuns::Arguments CommandRuns::with(Arguments arguments, const Arguments& more) {
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

CommandRuns::Arguments CommandRuns::run_of(const Arguments& arguments, const std::string& name) const {
  return with(with(with({command_}, arguments), {"--output", name}), always_);
}

ProcessResult CommandRuns::run(const Arguments& arguments, int ranks) const {
  return tempera_ranks(ranks, with({command_}, arguments), here());
}

ProcessResult CommandRuns::resume(int ranks, const std::string& name, const Arguments& more) const {
  return tempera_ranks(ranks, with(with({"resume", name}, more), always_), here());
}

void CommandRuns::start(const Arguments& arguments, const std::string& name, int ranks) const {
  const auto result = tempera_ranks(ranks, run_of(arguments, name), here());
  ASSERT_EQ(result.status, 0) << result.err;
}

std::string CommandRuns::file(const std::string& name, const std::string& content) const {
  write_text(folder_ / name, content);
  return name;
}

void CommandRuns::expect_refusal_of(Arguments arguments, int status, const std::string& message, bool on_ranks) const {
  arguments.insert(arguments.end(), {"--output", "refused"});
  const auto result = run(arguments);
  EXPECT_EQ(result.status, status) << message;
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(result.err, "tempera: error: " + message + "\n");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "refused")) << "a refused run leaves no folder";
  if (!on_ranks) return;
  const auto two = run(arguments, 2);
  EXPECT_EQ(two.status, status) << two.err;
  EXPECT_EQ(occurrences(two.err, "tempera: error: "), 1) << two.err;
  EXPECT_THAT(two.err, testing::HasSubstr("tempera: error: " + message + "\n"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "refused"));
}

void CommandRuns::kill_and_go_on(const Arguments& arguments, int kills, std::uint64_t seed,
                                 const std::function<Moment(int kill, RandomStream& random)>& moment) const {
  start(arguments, "whole");
  Arguments command = run_of(arguments, "run");
  int ranks = 2, done = 0;
  for (int kill = 0; kill < kills; ++kill) {
    SCOPED_TRACE("kill " + std::to_string(kill) + " on " + std::to_string(ranks) + " ranks");
    RandomStream random(seed, "kill-and-go-on", {kill});
    const Moment has_come = moment(kill, random);
    RunningProcess job = tempera_in_background(ranks, command, here());
    if (!wait_until([&] { return std::filesystem::exists(path("run/manifest.json")) && has_come(); }, 60, &job))
      break;  // it came to its end meanwhile
    const int victim = static_cast<int>(random.uniform_index(ranks + 1)) - 1;
    if (victim < 0)
      job.kill_all();
    else
      job.signal_rank(victim, SIGKILL);
    done += job.wait().status == kKilled ? 1 : 0;
    ranks = ranks % 4 + 1;
    command = {"resume", "run", "--quiet"};
  }
  EXPECT_EQ(done, kills) << "the run is long enough for that many";
  const auto result = resume(ranks, "run");
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(json("run/manifest.json")["exit_status"], 0);
  EXPECT_GE(json("run/manifest.json")["resumes"].size(), static_cast<std::size_t>(kills));
}

}  // namespace tempera::test
