#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/base/random_stream.hpp"
#include "tests/support/data.hpp"
#include "tests/support/running_process.hpp"

namespace tempera::test {

constexpr int kKilled = 128 + 9, kStopped = 130;

/// A folder to run one command of tempera in, to break its runs, and to look at what they leave.
class CommandRuns : public testing::Test {
 protected:
  using Arguments = std::vector<std::string>;
  using Json = nlohmann::json;

  /// @param always  what runs that are compared are told beside their arguments
  explicit CommandRuns(std::string command, Arguments always = {})
      : command_(std::move(command)), always_(std::move(always)) {}

  static Arguments with(Arguments arguments, const Arguments& more);
  /// The command with these and --output NAME.
  Arguments run_of(const Arguments& arguments, const std::string& name) const;

  ProcessSettings here() const { return {.seconds = 120, .folder = folder_.path(), .environment = {}}; }
  /// The command with these arguments alone; whatever comes of it.
  ProcessResult run(const Arguments& arguments, int ranks = 0) const;
  ProcessResult resume(int ranks, const std::string& name, const Arguments& more = {}) const;
  /// A run that must come to its end.
  void start(const Arguments& arguments, const std::string& name, int ranks = 0) const;

  std::filesystem::path path(const std::string& name) const { return folder_ / name; }
  std::string text(const std::string& name) const { return read_text(folder_ / name); }
  Json json(const std::string& name) const { return Json::parse(text(name)); }
  std::string file(const std::string& name, const std::string& content) const;

  /// The refusal: this status, this message (nothing else on standard error), no run folder; under mpirun too, once.
  void expect_refusal_of(Arguments arguments, int status, const std::string& message, bool on_ranks) const;

  /// Says whether the moment has come; made for each kill when the run goes on.
  using Moment = std::function<bool()>;
  /// The run "whole" of these arguments in one piece; and "run", killed again and again, one rank or all, each time on another
  /// number of ranks, until the last resume lets it come to its end. @param moment  called with the number of the kill
  void kill_and_go_on(const Arguments& arguments, int kills, std::uint64_t seed,
                      const std::function<Moment(int kill, RandomStream& random)>& moment) const;

  TemporaryFolder folder_;

 private:
  std::string command_;
  Arguments always_;
};

}  // namespace tempera::test
