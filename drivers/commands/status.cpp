#include "drivers/commands/status.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>
#include <thread>

#include "core/base/command_line.hpp"
#include "core/base/option_help.hpp"
#include "core/base/progress.hpp"
#include "drivers/commands/status/run_status.hpp"
#include "drivers/commands/status/status_text.hpp"
#include "drivers/commands/status/study_status.hpp"
#include "drivers/commands/status/study_status_text.hpp"
#include "drivers/standard_streams.hpp"

namespace tempera::drivers {

namespace {

constexpr auto kBetweenLooks = std::chrono::milliseconds(500);

struct StatusOptions {
  std::filesystem::path run;
  bool follow = false;
  bool json = false;
  bool verbose = false;
};

void declare(OptionSchema& schema, StatusOptions& options) {
  schema.example("tempera status runs/ratings --follow");
  schema.positional("run", OptionKind::path, options.run)
      .names(PathKind::folder)
      .help("folder of a run, alive or not")
      .required();
  schema.flag("follow", options.follow).help("say it again whenever something changes, until the run ends");
  schema.flag("json", options.json).help("print it as JSON; with --follow one object a line");
  schema.flag("verbose", options.verbose)
      .help("of a study: all runs and ranks, and the trace of who did what when, drawn from its journal");
}

/// How a run stands, whatever it is the run of.
class Sight {
 public:
  explicit Sight(const StatusOptions& options) : verbose_(options.verbose) {
    const std::chrono::duration<double> now = std::chrono::system_clock::now().time_since_epoch();
    run_ = read_run_status(options.run, now.count());
    if (is_study(run_)) study_ = read_study_status(run_, now.count(), options.verbose || options.json);
  }
  bool running() const { return run_.state == RunState::running; }
  std::string text() const { return study_ ? study_status_text(*study_, verbose_) : status_text(run_); }
  std::string line() const { return study_ ? study_status_line(*study_) : status_line(run_); }
  std::string json(int indent) const {
    const nlohmann::ordered_json json = study_ ? study_status_json(*study_) : status_json(run_);
    return json.dump(indent, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  }

 private:
  bool verbose_;
  RunStatus run_;
  std::optional<StudyStatus> study_;
};

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
void follow(const StatusOptions& options) {
  const bool live = !options.json && is_terminal(stdout);
  Screen screen;
  std::string before;
  for (;; std::this_thread::sleep_for(kBetweenLooks)) {
    const Sight sight(options);
    const std::string line = sight.line();
    if (live) {
      screen.show(sight.text());
    } else if (line != before) {
      const bool whole = before.empty() || !sight.running();
      print_result(options.json ? sight.json(-1) : whole ? sight.text() : line + "\n");
    }
    before = line;
    if (!sight.running()) return;
  }
}

}  // namespace

int run_status(std::span<const std::string> arguments, const Launch& launch) {
  StatusOptions options;
  OptionSchema schema("status", std::string(kStatusSummary));
  declare(schema, options);
  if (parse_command_line(schema, arguments) == CommandLineOutcome::help) {
    if (launch.is_first()) print_result(help_text(schema));
    return 0;
  }
  if (!launch.is_first()) return 0;
  if (options.follow) {
    follow(options);
  } else {
    const Sight sight(options);
    print_result(options.json ? sight.json(2) : sight.text());
  }
  return 0;
}

std::vector<CommandSchema> status_schemas() {
  return {command_schema<StatusOptions>("status", kStatusSummary, declare)};
}

}  // namespace tempera::drivers
