#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "drivers/commands/status/run_status.hpp"

namespace tempera::drivers {

/// "running", "finished", "stopped", "failed" or "died".
std::string_view name(RunState state);

/// A single value: numbers with six digits.
std::string value_text(const nlohmann::ordered_json& value);
/// "sweep 57 of at most 100 of start 2 of 3"; empty where no step is done.
std::string position(const nlohmann::ordered_json& step, const RunStatus& status);
/// What the engine itself tells in a step: "fit 0.8123, change 3.1e-06".
std::string own_values(const nlohmann::ordered_json& step);
/// "running, process 1234 on node7, 4 MPI ranks"
std::string state_text(const RunStatus& status);
/// "sweep 50, 12.0 s ago, 1.00 MiB; 2 generations"
std::string checkpoint_text(const RunStatus& status, bool with_age);
/// "750 ms a sweep, at most 1 min 47 s left"; empty where it is not known, or the run is finished.
std::string speed_text(const RunStatus& status);
/// "2026-01-31T12:00:00Z, resumed once"
std::string started_text(const RunStatus& status);

/// The newest generation that can be read; null if there is none.
nlohmann::ordered_json checkpoint_json(const RunStatus& status);
nlohmann::ordered_json or_null(const auto& optional) {
  return optional ? nlohmann::ordered_json(*optional) : nlohmann::ordered_json();
}
nlohmann::ordered_json text_or_null(const std::string& text);

}  // namespace tempera::drivers
