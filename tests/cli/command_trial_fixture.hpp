#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "distributed/bayesopt/command_trial.hpp"
#include "distributed/bayesopt/command_trial_processes.hpp"
#include "distributed/bayesopt/event.hpp"
#include "tests/support/data.hpp"
#include "tests/support/running_process.hpp"

namespace tempera::test {

/// As one word of a command.
inline std::string quoted(const std::string& text) {
  std::string result = "'";
  for (const char letter : text) result += letter == '\'' ? std::string("'\\''") : std::string(1, letter);
  return result + "'";
}

inline std::string status_name(TrialStatus status) {
  return std::string(name(status));
}

/// Trials that run shell scripts.
class CommandTrials : public ::testing::Test {
 protected:
  std::unique_ptr<CommandTrial> start(const std::string& script, const std::string& arguments = "") {
    last_folder = folder.path() / std::to_string(++count_);
    const TrialCommand command("/bin/sh -c " + quoted(script) + " " + arguments, space);
    return std::make_unique<CommandTrial>(command, space, point, last_folder, options);
  }
  static const TrialResult& finish(CommandTrial& trial) {
    EXPECT_TRUE(wait_until([&] { return trial.poll(); }));
    return trial.result();
  }
  TrialResult run(const std::string& script, const std::string& arguments = "") {
    return finish(*start(script, arguments));
  }

  /// No child of this process, zombie or not, and no process that carries a trial's folder.
  bool no_process_is_left() {
    if (::waitpid(-1, nullptr, WNOHANG) != -1 || errno != ECHILD) return false;
    return wait_until([&] { return marked_processes() == 0; });
  }

  /// Trials of all kinds, some at a time; every status must come as often as it was asked for.
  void run_many(Index trials, std::size_t at_once) {
    struct Kind {
      const char* script;
      TrialStatus status;
      double timeout;
    };
    constexpr double kForever = std::numeric_limits<double>::infinity();
    const std::vector<Kind> kinds = {
        {"echo 1", TrialStatus::ok, kForever},
        {"kill -SEGV $$", TrialStatus::crashed, kForever},
        {"sleep 1000 & exec sleep 1000", TrialStatus::timeout, 0.01},
        {"sleep 1000 & (sleep 1000 & sleep 1000) & echo 1", TrialStatus::ok, kForever},
        {"echo '{]'", TrialStatus::invalid, kForever},
        {"echo 1 2", TrialStatus::invalid, kForever},
        {"echo NaN", TrialStatus::invalid, kForever},
        {"head -c 3000000 /dev/zero; echo; echo 1", TrialStatus::ok, kForever},
        {"trap '' TERM; while :; do sleep 1000; done", TrialStatus::timeout, 0.01},
        {"exit 7", TrialStatus::failed, kForever},
    };
    options.grace = 0.01;
    options.output_cap = 4096;
    std::map<TrialStatus, Index> wanted, seen;
    std::vector<std::unique_ptr<CommandTrial>> running;
    Index started = 0;
    const auto step = [&] {
      while (started < trials && running.size() < at_once) {
        const Kind& kind = kinds[static_cast<std::size_t>(started++) % kinds.size()];
        options.timeout = kind.timeout;
        ++wanted[kind.status];
        running.push_back(start(kind.script));
      }
      std::erase_if(running, [&](const auto& trial) {
        if (!trial->poll()) return false;
        ++seen[trial->result().status];
        return true;
      });
      return started == trials && running.empty();
    };
    ASSERT_TRUE(wait_until(step, 3600)) << started << " started, " << running.size() << " running";
    EXPECT_EQ(seen, wanted);
    EXPECT_TRUE(no_process_is_left());
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}), descriptors_);
  }

  TemporaryFolder folder;
  Space space = Space(
      {{.name = "lr", .low = 1e-5, .high = 1, .log_scale = true},
       {.name = "seed", .type = ParameterType::integer, .whole_low = 9007199254740993, .whole_high = 9007199254741003},
       {.name = "solver", .type = ParameterType::categorical, .choices = {"cg", "größe 'x'"}},
       {.name = "flag", .type = ParameterType::boolean},
       {.name = "gone", .low = 0, .high = 1, .when = {"solver", {"cg"}}}});
  Point point = {0, 2, 1, 1, std::numeric_limits<double>::quiet_NaN()};
  CommandTrialOptions options;
  std::filesystem::path last_folder;

 private:
  Index marked_processes() const {
    const std::string mark = std::string(kTrialFolderVariable) + "=" + folder.path().string() + "/";
    Index found = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
      std::ifstream file(entry.path() / "environ", std::ios::binary);
      const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
      found += text.find(mark) != std::string::npos ? 1 : 0;
    }
    return found;
  }

  Index count_ = 0;
  Index descriptors_ = std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
};

}  // namespace tempera::test
