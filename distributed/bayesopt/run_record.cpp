#include "distributed/bayesopt/run_record.hpp"

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "distributed/bayesopt/optimization.hpp"

namespace tempera {

RunRecord::RunRecord(const Space& space, const OptimizationOptions& options) : scheduler_(options.scheduler) {
  const BeginEvent begin{space.description(), options.configuration};
  if (!options.journal.empty()) {
    if (std::filesystem::exists(options.journal)) {
      std::vector<JournalEntry> earlier;
      journal_ = Journal::reopen(options.journal, earlier);
      replay(earlier, begin, options);
    } else {
      journal_ = Journal::create(options.journal);
    }
  }
  start_ = Clock::now();
  if (entries_.empty()) record(begin);
  std::size_t known = 0;  // killed among them it has only some
  for (const JournalEntry& entry : entries_) known += std::holds_alternative<WarmStartEvent>(entry.event) ? 1 : 0;
  for (std::size_t k = known; k < options.sources.size(); ++k) record(WarmStartEvent{options.sources[k]});
}

void RunRecord::replay(const std::vector<JournalEntry>& entries, const BeginEvent& expected,
                       const OptimizationOptions& options) {
  if (entries.empty()) return;
  const auto* begin = std::get_if<BeginEvent>(&entries.front().event);
  if (begin == nullptr || begin->space != expected.space || begin->configuration != expected.configuration)
    throw Error(Category::input, options.journal.string() + ":1",
                "the run began with another space or with other options",
                "give the space and the options that it began with, or begin a new run");
  for (const JournalEntry& entry : entries) {
    try {
      scheduler_.apply(entry.event);
    } catch (const Error& error) {
      throw Error(error.category(), fmt::format("{}:{}", options.journal.string(), entries_.size() + 1),
                  error.what_is_wrong(), error.hint());
    }
    entries_.push_back(entry);
  }
  before_ = entries.back().seconds;
}

void RunRecord::record(Event event) {
  JournalEntry entry{seconds(), std::move(event)};
  if (journal_) journal_->append(entry);
  scheduler_.apply(entry.event);
  entries_.push_back(std::move(entry));
}

void RunRecord::sync() {
  if (journal_) journal_->sync();
}

void RunRecord::begin_sync() {
  if (journal_) journal_->begin_sync();
}

void RunRecord::restore() {
  if (journal_) journal_->restore();
}

}  // namespace tempera
