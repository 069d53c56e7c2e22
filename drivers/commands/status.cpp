#include "drivers/commands/status.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <thread>

#include "core/base/command_line.hpp"
#include "core/base/option_help.hpp"
#include "core/base/progress.hpp"
#include "drivers/commands/status/run_status.hpp"
#include "drivers/commands/status/status_text.hpp"
#include "drivers/standard_streams.hpp"

namespace tempera::drivers {

namespace {

constexpr auto kBetweenLooks = std::chrono::milliseconds(500);

RunStatus look(const std::filesystem::path& run) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return read_run_status(run, std::chrono::duration<double>(now).count());
}

std::string dump(const nlohmann::ordered_json& json, int indent) {
  return json.dump(indent, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

/// Prints the status over the one before it.
class Screen {
 public:
  void show(const std::string& text) {
    if (text == shown_) return;
    const auto lines = std::count(shown_.begin(), shown_.end(), '\n');
    const std::string back = lines > 0 ? fmt::format("\x1b[{}A\x1b[J", lines) : "";  // up, and clear what is below
    print_result(back + "\x1b[?7l" + text + "\x1b[?7h");  // a line that were wrapped would count as two
    shown_ = text;
  }

 private:
  std::string shown_;
};

/// Returns when the run is not running any more. A person's Ctrl-C ends the process.
void follow(const std::filesystem::path& run, bool json) {
  const bool live = !json && is_terminal(stdout);
  Screen screen;
  std::string before;
  for (;; std::this_thread::sleep_for(kBetweenLooks)) {
    const RunStatus status = look(run);
    const bool running = status.state == RunState::running;
    const std::string line = status_line(status);
    if (live) {
      screen.show(status_text(status));
    } else if (line != before) {
      const bool whole = before.empty() || !running;
      print_result(json ? dump(status_json(status), -1) : whole ? status_text(status) : line + "\n");
    }
    before = line;
    if (!running) return;
  }
}

}  // namespace

int run_status(std::span<const std::string> arguments, const Launch& launch) {
  std::filesystem::path run;
  bool follows = false;
  bool json = false;
  OptionSchema schema("status", std::string(kStatusSummary));
  schema.example("tempera status runs/ratings --follow");
  schema.positional("run", OptionKind::path, run).help("folder of a run, alive or not").required();
  schema.flag("follow", follows).help("say it again whenever something changes, until the run ends");
  schema.flag("json", json).help("print it as JSON; with --follow one object a line");
  if (parse_command_line(schema, arguments) == CommandLineOutcome::help) {
    if (launch.is_first()) print_result(help_text(schema));
    return 0;
  }
  if (!launch.is_first()) return 0;
  if (follows) {
    follow(run, json);
  } else {
    const RunStatus status = look(run);
    print_result(json ? dump(status_json(status), 2) : status_text(status));
  }
  return 0;
}

}  // namespace tempera::drivers
