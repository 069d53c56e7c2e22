#include "drivers/commands/status/trial_sessions.hpp"

#include <map>
#include <optional>
#include <string>

#include "distributed/checkpoint/journal_file.hpp"
#include "drivers/commands/status/progress_tail.hpp"

namespace tempera::drivers {

std::vector<std::vector<WorkedTrial>> trial_sessions(const std::filesystem::path& journal) {
  std::vector<std::vector<WorkedTrial>> sessions;
  std::error_code error;
  if (!std::filesystem::is_regular_file(journal, error)) return sessions;
  std::optional<std::string> damage;
  std::map<std::int64_t, std::size_t> open;
  double start = 0;
  for (const auto& event : JournalFile::read_good(journal, damage)) {
    const std::string kind = text_in(event, "event");
    const double at = number_in(event, "at_seconds").value_or(0);
    if (kind == "session") {
      sessions.emplace_back();
      open.clear();
      start = at;
    }
    const auto number = integer_in(event, "number");
    if (!number || *number < 0 || sessions.empty()) continue;
    if (kind == "start") {
      open[*number] = sessions.back().size();
      sessions.back().push_back({*number, integer_in(event, "worker").value_or(-1), at - start});
    }
    if (const auto found = open.find(*number); kind == "result" && found != open.end()) {
      sessions.back()[found->second].ended = at - start;
      open.erase(found);
    }
  }
  return sessions;
}

}  // namespace tempera::drivers
