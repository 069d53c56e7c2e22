#include "drivers/commands/status/status_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string_view>
#include <vector>

#include "core/base/text.hpp"
#include "drivers/commands/status/progress_tail.hpp"
#include "drivers/commands/status/status_words.hpp"

namespace tempera::drivers {

using nlohmann::ordered_json;

namespace {

std::string next_text(const RunStatus& status) {
  if (!status.part_of.empty())
    return fmt::format("it is a part of a study: 'tempera status {}' shows all of it",
                       printable(status.part_of.string()));
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

std::string title(const RunStatus& status) {
  if (status.command.empty()) return "run in " + printable(status.folder.string());
  return fmt::format("tempera {}{}{}", status.command, status.input.empty() ? "" : " of ", status.input);
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

}  // namespace

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
