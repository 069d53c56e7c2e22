#include "distributed/bayesopt/source_run.hpp"

#include <map>
#include <utility>

#include "core/base/error.hpp"
#include "distributed/bayesopt/journal.hpp"

namespace tempera {

namespace {

Error no_run(const std::filesystem::path& run) {
  return {Category::input, run.string(), "is no run of 'tempera optimize'",
          "name a folder that has a journal.jsonl of one"};
}

Space space_of(const BeginEvent& begin, const std::filesystem::path& journal) {
  try {
    return Space::from_description(begin.space);
  } catch (const nlohmann::json::exception&) {
    throw Error(Category::input, journal.string() + ":1", "does not describe a space",
                "it was written by another version of tempera");
  } catch (const Error& error) {
    throw Error(Category::input, journal.string() + ":1", error.what_is_wrong(), error.hint());
  }
}

}  // namespace

SourceRun read_source_run(const std::filesystem::path& run) {
  const std::filesystem::path journal = run / "journal.jsonl";
  std::error_code nothing;
  if (!std::filesystem::is_regular_file(journal, nothing)) throw no_run(run);
  const std::vector<JournalEntry> entries = Journal::read(journal);
  const auto* begin = entries.empty() ? nullptr : std::get_if<BeginEvent>(&entries.front().event);
  if (begin == nullptr) throw no_run(run);
  SourceRun source{space_of(*begin, journal), begin->configuration, {}};
  std::map<Index, Point> points;
  std::map<Index, TrialResult> results;  // the last attempt's
  for (const JournalEntry& entry : entries) {
    if (const auto* proposal = std::get_if<ProposeEvent>(&entry.event)) points[proposal->number] = proposal->point;
    if (const auto* result = std::get_if<ResultEvent>(&entry.event)) results[result->number] = result->result;
  }
  for (auto& [number, result] : results)
    if (const auto point = points.find(number);
        point != points.end() && std::ssize(point->second) == source.space.size())
      source.trials.push_back({number, point->second, std::move(result)});
  return source;
}

std::vector<SourceTrials> recorded_sources(const std::filesystem::path& journal) {
  std::vector<SourceTrials> sources;
  std::error_code nothing;
  if (!std::filesystem::exists(journal, nothing)) return sources;
  for (JournalEntry& entry : Journal::read(journal))
    if (auto* event = std::get_if<WarmStartEvent>(&entry.event)) sources.push_back(std::move(event->source));
  return sources;
}

}  // namespace tempera
