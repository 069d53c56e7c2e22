#pragma once

#include <cstdio>
#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace tempera {

struct ProgressSettings {
  bool quiet = false;               ///< show nothing; the log is written all the same
  std::filesystem::path log{};      ///< progress.jsonl, appended to; empty for none
  std::FILE* stream = stderr;       ///< where people look
  bool live = false;                ///< one line that is rewritten, for terminals; is_terminal(stream) tells
  std::function<double()> clock{};  ///< seconds from any origin; the steady clock if empty
};

bool is_terminal(std::FILE* stream);

/// What a long computation says while it runs: one line that is rewritten in place (at most ten times a second) on a
/// terminal; plain lines elsewhere, the first at once, then at most one in five seconds, and always the last. Every
/// step appends one JSON object to the log and hands it to the system at once, so that a monitor sees it.
/// Used by one process of a run; not thread safe.
class Progress {
 public:
  /// @throws Error{environment} if the log cannot be opened
  explicit Progress(ProgressSettings settings);
  /// Like finish(), but swallows errors.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// One step is done: `record` goes to the log, `line` to the people.
  /// @throws Error{environment} if the log cannot be written; it then ends with the last whole line
  void step(const nlohmann::ordered_json& record, std::string line);
  /// Something to remember that is no step of its own: to the log only. @throws as step()
  void record(const nlohmann::ordered_json& record);
  /// A line that stays, whatever the throttle; the live line is taken away for it. Nothing when quiet.
  void note(std::string_view line);
  /// Shows the last line if it is still hidden and ends the live line.
  void finish();

 private:
  void append(const std::string& line);
  void show(const std::string& line);

  ProgressSettings settings_;
  int log_ = -1;
  double next_ = 0;
  std::string hidden_;  // newest line, not shown yet
  int live_width_ = 0;  // columns of the live line on the screen
};

}  // namespace tempera
