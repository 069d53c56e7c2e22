#include "drivers/time_limit.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>

#include "core/base/command_line.hpp"
#include "core/base/error.hpp"

namespace tempera::drivers {
namespace {

class TimeLimit : public testing::Test {
 protected:
  TimeLimit() { declare_common_options(schema_, options_); }
  void TearDown() override {
    ::unsetenv("SLURM_JOB_END_TIME");
    ::unsetenv("SLURM_JOB_ID");
  }
  void parse(const std::vector<std::string>& arguments) { parse_command_line(schema_, arguments); }
  std::string message_of(const std::function<void()>& action) const {
    try {
      action();
    } catch (const Error& error) {
      EXPECT_EQ(exit_status(error.category()), 2);
      return error.message();
    }
    return "";
  }

  CommonOptions options_;
  OptionSchema schema_{"decompose", ""};
};

TEST_F(TimeLimit, IntervalsAreTimesOrSteps) {
  EXPECT_FALSE(parse_checkpoint_every(schema_, options_).seconds);
  EXPECT_TRUE(parse_checkpoint_every(schema_, options_).periodic);
  options_.checkpoint_every = "20it";
  EXPECT_EQ(parse_checkpoint_every(schema_, options_).steps, 20);
  options_.checkpoint_every = "10m";
  EXPECT_EQ(parse_checkpoint_every(schema_, options_).seconds, 600.0);
  options_.checkpoint_every = "never";
  EXPECT_FALSE(parse_checkpoint_every(schema_, options_).periodic);
  for (const char* bad : {"0it", "-3it", "2.5it", "it", "0s", "60", "often", "", "nan", "99999999999it"}) {
    options_.checkpoint_every = bad;
    EXPECT_EQ(
        message_of([&] { parse_checkpoint_every(schema_, options_); }),
        std::string("tempera: error: --checkpoint-every: '") + bad +
            "' is neither a duration nor a number of steps\nhint: write 60s, 10m, 20it (every 20 steps), never or "
            "auto");
  }
}

TEST_F(TimeLimit, CountsFromTheStartOfTheProcess) {
  EXPECT_FALSE(seconds_left(schema_, options_, 10));
  parse({"--time-limit", "1h30m"});
  check_time_limit(schema_, options_);
  EXPECT_EQ(seconds_left(schema_, options_, 10), 5390.0);
  options_.time_limit = "soon";
  EXPECT_EQ(
      message_of([&] { check_time_limit(schema_, options_); }),
      "tempera: error: --time-limit: 'soon' is not a duration\nhint: give a duration such as 30m or 2h, or auto in a "
      "batch job of Slurm");
}

TEST_F(TimeLimit, AutoIsTheEndOfTheAllocation) {
  parse({"--time-limit", "auto"});
  EXPECT_NE(message_of([&] { seconds_left(schema_, options_, 0); }), "");
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  ::setenv("SLURM_JOB_END_TIME", std::to_string(now + 3600).c_str(), 1);
  EXPECT_NEAR(*seconds_left(schema_, options_, 1e9), 3600, 60) << "the allocation's clock, not the process's";
  ::setenv("SLURM_JOB_END_TIME", "Unknown", 1);
  EXPECT_NE(message_of([&] { seconds_left(schema_, options_, 0); }), "");
  ::setenv("SLURM_JOB_ID", "1; echo 00:10", 1);
  EXPECT_NE(message_of([&] { seconds_left(schema_, options_, 0); }), "") << "no shell sees what is no number";
}

TEST_F(TimeLimit, ReadsTheTimesThatSlurmPrints) {
  EXPECT_EQ(parse_slurm_time("1-02:03:04"), 93784.0);
  EXPECT_EQ(parse_slurm_time("02:03:04"), 7384.0);
  EXPECT_EQ(parse_slurm_time("3:04"), 184.0);
  for (const char* none : {"", "UNLIMITED", "INVALID", "NOT_SET", "5", "1:2:3:4", "-1:00", "1-", "a-1:00", "1:x"})
    EXPECT_FALSE(parse_slurm_time(none)) << none;
}

}  // namespace
}  // namespace tempera::drivers
