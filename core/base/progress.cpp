#include "core/base/progress.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/base/system_error.hpp"
#include "core/base/text.hpp"

namespace tempera {

namespace {

constexpr double kSecondsBetweenPlainLines = 5;
constexpr double kSecondsBetweenLiveLines = 0.1;

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

int terminal_columns(std::FILE* stream) {
  winsize size{};
  return ::ioctl(::fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

/// A line that wraps cannot be rewritten, so it is cut.
std::string cut(const std::string& line, int columns) {
  if (display_width(line) <= columns) return line;
  std::string text = line;
  while (display_width(text) > columns - 3) text.pop_back();
  return text + "...";
}

/// People's stream may be full or closed: that must not end the computation.
void put(std::FILE* stream, const std::string& text) {
  static_cast<void>(std::fwrite(text.data(), 1, text.size(), stream));
  static_cast<void>(std::fflush(stream));
}

}  // namespace

bool is_terminal(std::FILE* stream) {
  return ::isatty(::fileno(stream)) == 1;
}

Progress::Progress(ProgressSettings settings)
    : settings_(std::move(settings)), next_(-std::numeric_limits<double>::infinity()) {
  if (!settings_.clock) settings_.clock = steady_seconds;
  if (settings_.log.empty()) return;
  log_ = ::open(settings_.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (log_ < 0) throw write_error(settings_.log, errno);
}

Progress::~Progress() {
  try {
    finish();
  } catch (...) {  // a destructor has nobody to tell
  }
  if (log_ >= 0) ::close(log_);
}

void Progress::step(const nlohmann::ordered_json& record, std::string line) {
  this->record(record);
  if (settings_.quiet) return;
  hidden_ = std::move(line);
  const double now = settings_.clock();
  if (now < next_) return;
  next_ = now + (settings_.live ? kSecondsBetweenLiveLines : kSecondsBetweenPlainLines);
  show(hidden_);
  hidden_.clear();
}

void Progress::record(const nlohmann::ordered_json& record) {
  if (log_ >= 0) append(record.dump() + "\n");
}

void Progress::append(const std::string& line) {
  const off_t before = ::lseek(log_, 0, SEEK_END);
  const int problem = write_all(log_, line);
  if (problem == 0) return;
  // Whoever reads the log shall find whole lines; if even this fails the first problem is still the one to tell.
  if (before >= 0) static_cast<void>(::ftruncate(log_, before) == 0);
  throw write_error(settings_.log, problem);
}

void Progress::show(const std::string& line) {
  if (!settings_.live) {
    put(settings_.stream, fmt::format("{}\n", line));
  } else {
    const std::string text = cut(line, terminal_columns(settings_.stream) - 1);
    const int width = display_width(text);
    put(settings_.stream, fmt::format("\r{}{:{}}", text, "", std::max(0, live_width_ - width)));
    live_width_ = width;
  }
}

void Progress::note(std::string_view line) {
  if (settings_.quiet) return;
  if (live_width_ > 0) put(settings_.stream, fmt::format("\r{:{}}\r", "", live_width_));
  live_width_ = 0;
  put(settings_.stream, fmt::format("{}\n", line));
}

void Progress::finish() {
  if (!hidden_.empty()) show(hidden_);
  hidden_.clear();
  if (live_width_ > 0) put(settings_.stream, "\n");
  live_width_ = 0;
}

}  // namespace tempera
