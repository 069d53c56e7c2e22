#include "drivers/commands/status/progress_tail.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <vector>

namespace tempera::drivers {

using nlohmann::ordered_json;

namespace {

constexpr std::int64_t kTailBytes = 1 << 16;
constexpr std::size_t kStepsForSpeed = 10;
constexpr double kLargestInteger = 9e15;  // a double holds every integer up to here

std::string tail_of(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return {};  // a pipe would be waited for
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const std::int64_t size = file.tellg();
  if (!file || size <= 0) return {};
  const std::int64_t begin = std::max<std::int64_t>(0, size - kTailBytes);
  std::string text(static_cast<std::size_t>(size - begin), '\0');
  file.seekg(begin);
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, file.gcount())));
  if (begin > 0) text.erase(0, text.find('\n') == std::string::npos ? text.size() : text.find('\n') + 1);
  return text.substr(0, text.rfind('\n') == std::string::npos ? 0 : text.rfind('\n'));
}

struct Steps {
  std::vector<ordered_json> all;
  std::size_t resumed_at = 0;  // steps before had another speed, and some of them were undone
};

Steps steps_of(const std::string& text) {
  Steps steps;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const auto json = ordered_json::parse(text.begin() + static_cast<std::ptrdiff_t>(at),
                                          text.begin() + static_cast<std::ptrdiff_t>(end), nullptr, false);
    at = end + 1;
    const std::string step = text_in(json, "step");
    if (step == "resume") steps.resumed_at = steps.all.size();
    if (step.empty() || step == "resume" || step == "checkpoint" || !integer_in(json, "iteration")) continue;
    steps.all.push_back(plain_values(json));
  }
  return steps;
}

/// Mean over the last few steps of the seconds between them, per iteration.
std::optional<double> speed_of(const Steps& steps) {
  double iterations = 0;
  double seconds = 0;
  const std::size_t first = std::max(steps.resumed_at, steps.all.size() - std::min(steps.all.size(), kStepsForSpeed));
  for (std::size_t i = first + 1; i < steps.all.size(); ++i) {
    const ordered_json& before = steps.all[i - 1];
    const ordered_json& step = steps.all[i];
    const bool same_start = integer_in(step, "restart") == integer_in(before, "restart");
    const double done =
        static_cast<double>(*integer_in(step, "iteration") - (same_start ? *integer_in(before, "iteration") : 0));
    const auto from = number_in(before, "seconds");
    const auto to = number_in(step, "seconds");
    if (!from || !to || *to < *from || done <= 0) continue;
    iterations += done;
    seconds += *to - *from;
  }
  return iterations > 0 ? std::optional(seconds / iterations) : std::nullopt;
}

}  // namespace

ProgressTail read_progress_tail(const std::filesystem::path& file) {
  const Steps steps = steps_of(tail_of(file));
  ProgressTail tail;
  tail.step = steps.all.empty() ? ordered_json::object() : steps.all.back();
  tail.seconds_per_iteration = speed_of(steps);
  return tail;
}

std::string last_line(const std::filesystem::path& file) {
  const std::string text = tail_of(file);
  return printable(text.substr(text.rfind('\n') == std::string::npos ? 0 : text.rfind('\n') + 1));
}

ordered_json plain_values(const ordered_json& object) {
  ordered_json plain = ordered_json::object();
  if (!object.is_object()) return plain;
  for (const auto& [key, value] : object.items()) {
    const bool finite = value.is_number() && std::isfinite(value.get<double>());
    if (value.is_string())
      plain[printable(key)] = printable(value.get<std::string>());
    else if (value.is_boolean() || finite)
      plain[printable(key)] = value;
  }
  return plain;
}

std::optional<double> number_in(const ordered_json& object, const char* key) {
  if (!object.is_object() || !object.contains(key) || !object[key].is_number()) return std::nullopt;
  const double value = object[key].get<double>();
  return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

std::optional<std::int64_t> integer_in(const ordered_json& object, const char* key) {
  const auto value = number_in(object, key);
  if (!value || std::abs(*value) > kLargestInteger || *value != std::floor(*value)) return std::nullopt;
  return static_cast<std::int64_t>(*value);
}

std::string text_in(const ordered_json& object, const char* key) {
  if (!object.is_object() || !object.contains(key) || !object[key].is_string()) return {};
  return printable(object[key].get<std::string>());
}

std::string printable(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  return text;
}

}  // namespace tempera::drivers
