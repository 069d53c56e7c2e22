#include "drivers/commands/status/status_words.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <vector>

#include "core/base/text.hpp"
#include "drivers/commands/status/progress_tail.hpp"

namespace tempera::drivers {

using nlohmann::ordered_json;

namespace {

std::string silence(const RunStatus& status) {
  return fmt::format("last sign of life {} ago", human_duration(status.lock->heartbeat_age));
}

std::string owner_text(const LockOwner& owner) {
  return owner.pid == 0 ? "a process that cannot be named (the lock is unreadable)"
                        : fmt::format("process {} on {}", owner.pid, owner.host);
}

/// Whether the owner was on this machine before it was started anew.
bool booted_since(const LockOwner& owner) {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0 || owner.host != host.data() || owner.boot_id.empty())
    return false;
  std::string boot;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> boot;
  return !boot.empty() && boot != owner.boot_id;
}

}  // namespace

std::string_view name(RunState state) {
  constexpr std::string_view kNames[] = {"running", "finished", "stopped", "failed", "died"};
  return kNames[static_cast<int>(state)];
}

std::string value_text(const ordered_json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) return fmt::format("{:.6g}", value.get<double>());
  return value.dump();
}

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

std::string own_values(const ordered_json& step) {
  std::vector<std::string> values;
  for (const auto& [key, value] : step.items())
    if (key != "step" && key != "iteration" && key != "restart" && key != "seconds")
      values.push_back(value.is_string() ? value_text(value) : key + " " + value_text(value));
  return fmt::format("{}", fmt::join(values, ", "));
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
  return fmt::format("died, as it seems: of {} the {}{}", owner_text(status.lock->owner), silence(status),
                     booted_since(status.lock->owner) ? "; the machine was started anew since" : "");
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

ordered_json checkpoint_json(const RunStatus& status) {
  if (status.readable.empty()) return nullptr;
  const GenerationInfo& newest = status.readable.front();
  return {{"generation", newest.number},
          {"written", newest.written},
          {"age_seconds", or_null(status.checkpoint_age)},
          {"bytes", newest.bytes},
          {"progress", plain_values(newest.progress)}};
}

ordered_json text_or_null(const std::string& text) {
  return text.empty() ? ordered_json() : ordered_json(text);
}

}  // namespace tempera::drivers
