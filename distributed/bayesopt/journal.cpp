#include "distributed/bayesopt/journal.hpp"

#include "core/base/error.hpp"

namespace tempera {

namespace {

using Json = nlohmann::ordered_json;

std::vector<JournalEntry> entries_of(const std::filesystem::path& path, const std::vector<Json>& lines) {
  std::vector<JournalEntry> entries;
  for (const Json& json : lines) {
    const std::size_t line = entries.size() + 1;
    try {
      entries.push_back({json.at("at_seconds"), event_from_json(json)});
    } catch (const Json::exception&) {
      JournalFile::damaged(path, line, "is no event of an optimisation");
    } catch (const Error& error) {
      if (!error.where().empty()) throw;
      JournalFile::damaged(path, line, error.what_is_wrong());
    }
  }
  return entries;
}

}  // namespace

std::vector<JournalEntry> Journal::read(const std::filesystem::path& path) {
  return entries_of(path, JournalFile::read(path));
}

Journal Journal::reopen(const std::filesystem::path& path, std::vector<JournalEntry>& entries) {
  std::vector<Json> lines;
  JournalFile file = JournalFile::reopen(path, lines);
  entries = entries_of(path, lines);
  return Journal(std::move(file));
}

void Journal::append(const JournalEntry& entry) {
  Json json = {{"at_seconds", entry.seconds}};
  json.update(to_json(entry.event));
  file_.append(json);
}

}  // namespace tempera
