#include "drivers/time_limit.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/option_value.hpp"

namespace tempera::drivers {

namespace {

constexpr const char* kLimitHint = "give a duration such as 30m or 2h, or auto in a batch job of Slurm";

std::optional<int> positive_number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 1) return std::nullopt;
  return value;
}

/// Above zero, or nothing.
std::optional<double> duration(const std::string& text) {
  try {
    const double seconds = std::get<double>(parse_option_value(OptionKind::duration, text));
    return seconds > 0 ? std::optional(seconds) : std::nullopt;
  } catch (const std::invalid_argument&) {
    return std::nullopt;
  }
}

std::string squeue_time_left(const std::string& job) {
  // The number is the scheduler's own, but it comes through the environment.
  if (job.empty() || job.find_first_not_of("0123456789_") != std::string::npos) return "";
  std::FILE* pipe = ::popen(fmt::format("squeue --noheader --jobs={} --format=%L 2>/dev/null", job).c_str(), "r");
  if (pipe == nullptr) return "";
  std::array<char, 64> line{};
  std::string text = std::fgets(line.data(), static_cast<int>(line.size()), pipe) == nullptr ? "" : line.data();
  ::pclose(pipe);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) text.pop_back();
  return text;
}

std::optional<double> seconds_of_allocation() {
  if (const char* end = std::getenv("SLURM_JOB_END_TIME")) {
    const double now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
    char* rest = nullptr;
    const double seconds = std::strtod(end, &rest);
    if (rest != end && *rest == '\0' && seconds > 0) return seconds - now;
  }
  const char* job = std::getenv("SLURM_JOB_ID");
  return job == nullptr ? std::nullopt : parse_slurm_time(squeue_time_left(job));
}

}  // namespace

ScheduleSettings parse_checkpoint_every(const OptionSchema& schema, const CommonOptions& options) {
  ScheduleSettings settings;
  const std::string& text = options.checkpoint_every;
  if (text == "auto") return settings;
  settings.periodic = text != "never";
  if (text == "never") return settings;
  if (text.ends_with("it")) settings.steps = positive_number(std::string_view(text).substr(0, text.size() - 2));
  if (!settings.steps) settings.seconds = duration(text);
  if (!settings.steps && !settings.seconds)
    throw Error(Category::usage, schema.where("checkpoint-every"),
                fmt::format("'{}' is neither a duration nor a number of steps", text),
                "write 60s, 10m, 20it (every 20 steps), never or auto");
  return settings;
}

void check_time_limit(const OptionSchema& schema, const CommonOptions& options) {
  if (!options.time_limit || *options.time_limit == "auto" || duration(*options.time_limit)) return;
  throw Error(Category::usage, schema.where("time-limit"), fmt::format("'{}' is not a duration", *options.time_limit),
              kLimitHint);
}

std::optional<double> seconds_left(const OptionSchema& schema, const CommonOptions& options, double elapsed) {
  if (!options.time_limit) return std::nullopt;
  if (*options.time_limit != "auto") return *duration(*options.time_limit) - elapsed;
  const auto left = seconds_of_allocation();
  if (!left)
    throw Error(Category::usage, schema.where("time-limit"), "auto finds no batch job whose allocation has an end",
                kLimitHint);
  return left;
}

std::optional<double> parse_slurm_time(const std::string& text) {
  std::string_view rest = text;
  double seconds = 0;
  std::optional<int> days;
  if (const std::size_t dash = rest.find('-'); dash != std::string_view::npos) {
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + dash, days.emplace());
    if (error != std::errc() || end != rest.data() + dash) return std::nullopt;
    rest.remove_prefix(dash + 1);
  }
  int parts = 0;
  while (!rest.empty()) {
    int value = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
    if (error != std::errc() || value < 0 || ++parts > 3) return std::nullopt;
    seconds = 60 * seconds + value;
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    if (!rest.empty() && rest.front() != ':') return std::nullopt;
    if (!rest.empty()) rest.remove_prefix(1);
  }
  if (parts < 2) return std::nullopt;
  return seconds + 86400.0 * days.value_or(0);
}

}  // namespace tempera::drivers
