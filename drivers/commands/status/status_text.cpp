#include "drivers/commands/status/status_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string_view>
#include <vector>

#include "core/base/text.hpp"
#include "drivers/commands/status/progress_tail.hpp"

namespace tempera::drivers {

using nlohmann::ordered_json;

namespace {

std::string value_text(const ordered_json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) return fmt::format("{:.6g}", value.get<double>());
  return value.dump();
}

/// "sweep 57 of at most 100 of start 2 of 3"
std::string position(const ordered_json& step, const RunStatus& status) {
  const auto iteration = integer_in(step, "iteration");
  const std::string word = text_in(step, "step");
  if (!iteration || word.empty()) return {};
  std::string text = fmt::format("{} {}", word, *iteration);
  if (status.limit) text += fmt::format(" of at most {}", *status.limit);
  const auto restart = integer_in(step, "restart");
  if (restart && status.starts) text = fmt::format("start {} of {}, {}", *restart + 1, *status.starts, text);
  return text;
}

/// What the engine itself tells in a step: "fit 0.8123, change 3.1e-06".
std::string own_values(const ordered_json& step) {
  std::vector<std::string> values;
  for (const auto& [key, value] : step.items())
    if (key != "step" && key != "iteration" && key != "restart" && key != "seconds")
      values.push_back(value.is_string() ? value_text(value) : key + " " + value_text(value));
  return fmt::format("{}", fmt::join(values, ", "));
}

std::string silence(const RunStatus& status) {
  return fmt::format("last sign of life {} ago", human_duration(status.lock->heartbeat_age));
}

std::string owner_text(const LockOwner& owner) {
  return owner.pid == 0 ? "a process that cannot be named (the lock is unreadable)"
                        : fmt::format("process {} on {}", owner.pid, owner.host);
}

std::string state_text(const RunStatus& status) {
  switch (status.state) {
    case RunState::running: {
      std::string text = fmt::format("running, {}", owner_text(status.lock->owner));
      if (status.mpi_ranks)
        text += fmt::format(", {} MPI rank{}", *status.mpi_ranks, *status.mpi_ranks == 1 ? "" : "s");
      if (status.lock->state == LockState::unknown) text += ", " + silence(status);
      return text;
    }
    case RunState::finished: return "finished";
    case RunState::stopped: return "stopped after a checkpoint";
    case RunState::failed: return fmt::format("failed with exit status {}", *status.exit_status);
    case RunState::died: break;
  }
  if (!status.lock) return "died: it has not said how it ended, and no process works in the folder";
  if (status.lock->state == LockState::dead)
    return fmt::format("died: {} is gone and has not said how it ended", owner_text(status.lock->owner));
  return fmt::format("died, as it seems: of {} the {}", owner_text(status.lock->owner), silence(status));
}

std::string checkpoint_text(const RunStatus& status, bool with_age) {
  if (status.readable.empty()) return status.damaged > 0 ? "none that can be read" : "none";
  const GenerationInfo& newest = status.readable.front();
  RunStatus plain = status;
  plain.limit.reset();
  std::string text = position(newest.progress, plain);
  if (text.empty()) text = fmt::format("generation {}", newest.number);
  if (!with_age) return text;
  if (status.checkpoint_age) text += fmt::format(", {} ago", human_duration(*status.checkpoint_age));
  text += fmt::format(", {}; {} generation{}", human_bytes(static_cast<double>(newest.bytes)), status.readable.size(),
                      status.readable.size() == 1 ? "" : "s");
  if (status.damaged > 0) text += fmt::format(", {} more cannot be read", status.damaged);
  return text;
}

std::string next_text(const RunStatus& status) {
  const std::string resume = "'tempera resume " + printable(status.folder.string());
  if (status.state == RunState::running) {
    const LockOwner& owner = status.lock->owner;
    if (owner.pid == 0) return {};
    return fmt::format("'kill -USR1 {}' on {} makes it write a checkpoint and stop", owner.pid, owner.host);
  }
  if (status.state == RunState::finished) {
    std::string text = "the results are in " + printable((status.folder / "summary.json").string());
    if ((!status.readable.empty() || status.journal) && status.limit)
      text += fmt::format("; {} --{} N' extends it, N above {}", resume, status.limit_option, *status.limit_value);
    return text;
  }
  const char* mended = status.state == RunState::failed ? ", once the cause is mended" : "";
  if (status.journal) return fmt::format("{}' goes on from the journal, on any number of MPI ranks{}", resume, mended);
  return status.readable.empty()
             ? fmt::format("{}' starts it over, for there is no checkpoint{}", resume, mended)
             : fmt::format("{}' goes on from the checkpoint, on any number of MPI ranks{}", resume, mended);
}

std::string speed_text(const RunStatus& status) {
  if (!status.seconds_per_iteration || status.state == RunState::finished) return {};
  std::string text =
      fmt::format("{} a {}", human_duration(*status.seconds_per_iteration), text_in(status.step, "step"));
  if (status.seconds_left) text += fmt::format(", at most {} left", human_duration(*status.seconds_left));
  return text;
}

std::string started_text(const RunStatus& status) {
  std::string text = status.start;
  if (status.resumes > 0)
    text += fmt::format(", resumed {}", status.resumes == 1 ? "once" : fmt::format("{} times", status.resumes));
  if (!status.end.empty() && status.state != RunState::running) text += ", ended " + status.end;
  return text;
}

std::string title(const RunStatus& status) {
  if (status.command.empty()) return "run in " + printable(status.folder.string());
  return fmt::format("tempera {}{}{}", status.command, status.input.empty() ? "" : " of ", status.input);
}

ordered_json or_null(const auto& optional) {
  return optional ? ordered_json(*optional) : ordered_json();
}

ordered_json text_or_null(const std::string& text) {
  return text.empty() ? ordered_json() : ordered_json(text);
}

ordered_json lock_json(const LockInfo& lock) {
  constexpr const char* kStates[] = {"alive", "dead", "unknown"};
  return {{"state", kStates[static_cast<int>(lock.state)]},
          {"host", text_or_null(lock.owner.host)},
          {"pid", lock.owner.pid == 0 ? ordered_json() : ordered_json(lock.owner.pid)},
          {"command", text_or_null(lock.owner.command)},
          {"started", text_or_null(lock.owner.started)},
          {"heartbeat_age_seconds", lock.heartbeat_age}};
}

ordered_json checkpoint_json(const RunStatus& status) {
  if (status.readable.empty()) return nullptr;
  const GenerationInfo& newest = status.readable.front();
  return {{"generation", newest.number},
          {"written", newest.written},
          {"age_seconds", or_null(status.checkpoint_age)},
          {"bytes", newest.bytes},
          {"progress", plain_values(newest.progress)}};
}

}  // namespace

std::string_view name(RunState state) {
  constexpr std::string_view kNames[] = {"running", "finished", "stopped", "failed", "died"};
  return kNames[static_cast<int>(state)];
}

std::string status_text(const RunStatus& status) {
  std::string text = title(status) + "\n";
  const auto line = [&](const char* heading, const std::string& content) {
    if (!content.empty()) text += fmt::format("  {:12}{}\n", heading, content);
  };
  line("state", state_text(status));
  line("started", started_text(status));
  std::string at = position(status.step, status);
  if (const auto seconds = number_in(status.step, "seconds"); seconds && *seconds >= 0 && !at.empty())
    at += fmt::format(", {} of computing", human_duration(*seconds));
  line("progress", at.empty() && status.state == RunState::running ? "no step is done yet" : at);
  if (status.result.empty()) {
    line("last step", own_values(status.step));
  } else {
    line("result", own_values(status.result));
  }
  line("speed", speed_text(status));
  const bool none = status.readable.empty() && status.damaged == 0;
  const bool without = none && (status.state == RunState::finished || status.journal);
  if (!without) line("checkpoint", checkpoint_text(status, true));
  for (const std::string& note : status.notes) line("note", note);
  line("next", next_text(status));
  return text;
}

std::string status_line(const RunStatus& status) {
  std::vector<std::string> parts{std::string(name(status.state))};
  if (const std::string at = position(status.step, status); !at.empty()) parts.push_back(at);
  if (const std::string values = own_values(status.result.empty() ? status.step : status.result); !values.empty())
    parts.push_back(values);
  if (const std::string speed = speed_text(status); !speed.empty()) parts.push_back(speed);
  if (!status.readable.empty()) parts.push_back("checkpoint: " + checkpoint_text(status, false));
  return fmt::format("{}", fmt::join(parts, "; "));
}

ordered_json status_json(const RunStatus& status) {
  ordered_json json;
  json["schema"] = 1;
  json["run"] = printable(status.folder.string());
  json["command"] = text_or_null(status.command);
  json["input"] = text_or_null(status.input);
  json["state"] = name(status.state);
  json["exit_status"] = or_null(status.exit_status);
  json["start"] = text_or_null(status.start);
  json["end"] = text_or_null(status.end);
  json["mpi_ranks"] = or_null(status.mpi_ranks);
  json["resumes"] = status.resumes;
  json["lock"] = status.lock ? lock_json(*status.lock) : ordered_json();
  json["step"] = status.step.empty() ? ordered_json() : status.step;
  json["limit"] = or_null(status.limit);
  json["starts"] = status.starts.value_or(1);
  json["seconds_per_iteration"] = or_null(status.seconds_per_iteration);
  json["seconds_left_at_most"] = or_null(status.seconds_left);
  json["result"] = status.result.empty() ? ordered_json() : status.result;
  json["checkpoint_folder"] = printable(status.checkpoints.string());
  json["checkpoint"] = checkpoint_json(status);
  json["generations"] = status.readable.size();
  json["journal"] = status.journal;
  json["generations_damaged"] = status.damaged;
  json["notes"] = status.notes;
  json["next"] = text_or_null(next_text(status));
  return json;
}

}  // namespace tempera::drivers
