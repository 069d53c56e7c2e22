#include "drivers/commands/status/study_trace.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "drivers/commands/status/progress_tail.hpp"
#include "drivers/master/study_report.hpp"

namespace tempera::drivers {

namespace {

constexpr std::int64_t kMostRanks = 1 << 24;

std::optional<int> rank_number(const nlohmann::ordered_json& event, const char* key) {
  const auto value = integer_in(event, key);
  return value && *value >= 0 && *value <= kMostRanks ? std::optional(static_cast<int>(*value)) : std::nullopt;
}

std::optional<RunPhase> phase_of(const std::string& status) {
  for (const RunPhase phase : {RunPhase::done, RunPhase::failed, RunPhase::skipped, RunPhase::left})
    if (status == name(phase)) return phase;
  return std::nullopt;
}

}  // namespace

std::string_view name(RunPhase phase) {
  constexpr std::string_view kNames[kRunPhases] = {"waiting", "running", "done",      "failed",
                                                   "skipped", "left",    "broken off"};
  return kNames[static_cast<int>(phase)];
}

StudyTrace::StudyTrace(std::span<const Json> entries, std::vector<std::string>& notes) {
  std::size_t left_out = 0;
  for (const Json& entry : entries) left_out += apply(entry) ? 0 : 1;
  if (left_out > 0)
    notes.push_back(fmt::format("{} line{} of the journal cannot be understood", left_out, left_out == 1 ? "" : "s"));
}

StudyTrace StudyTrace::read(const std::filesystem::path& journal, std::vector<std::string>& notes) {
  std::error_code error;
  if (!std::filesystem::exists(journal, error)) return {{}, notes};
  if (!std::filesystem::is_regular_file(journal, error)) {
    notes.emplace_back("journal.jsonl is no file");
    return {{}, notes};
  }
  std::optional<std::string> damage;
  const std::vector<Json> entries = JournalFile::read_good(journal, damage);
  if (damage) notes.push_back(printable(*damage) + "; what comes after is not shown");
  return {entries, notes};
}

std::optional<std::size_t> StudyTrace::number_of(const std::string& run) const {
  const auto found = numbers_.find(run);
  return found == numbers_.end() ? std::nullopt : std::optional(found->second);
}

const TracedRun* StudyTrace::find(const std::string& run) const {
  const auto number = number_of(run);
  return number ? &runs_[*number] : nullptr;
}

double StudyTrace::busy_fraction() const {
  return worker_busy_fraction(std::vector<StudySpan>(spans_.begin(), spans_.end()));
}

void StudyTrace::close(double seconds, bool alive) {
  if (sessions_.empty() || (!alive && open_.empty())) return;
  seconds_ = std::max(seconds_, seconds);
  sessions_.back().ended = seconds_;
  for (const auto& [run, span] : open_) {
    spans_[span].ended = seconds_;
    if (alive) continue;
    spans_[span].end = RunPhase::broken;
    runs_[run].phase = RunPhase::broken;
  }
}

std::size_t StudyTrace::numbered(const std::string& run) {
  const auto [place, is_new] = numbers_.try_emplace(run, runs_.size());
  if (is_new) {
    runs_.emplace_back();
    runs_.back().name = run;
  }
  return place->second;
}

/// @return false: no line of a study's journal
bool StudyTrace::apply(const Json& event) {
  const std::string kind = text_in(event, "event");
  const auto at = number_in(event, "at_seconds");
  if (!at || *at < 0) return false;
  if (kind == "begin") return true;
  if (kind == "session") {
    const auto ranks = rank_number(event, "mpi_ranks");
    if (!ranks || *ranks == 0) return false;
    begin_session(*ranks);
    return true;
  }
  const std::string run = text_in(event, "run");
  if (run.empty() || sessions_.empty() || (kind != "start" && kind != "end")) return false;
  seconds_ = std::max(seconds_, *at);
  sessions_.back().ended = seconds_;
  return kind == "start" ? start(event, numbered(run)) : end(event, numbered(run));
}

/// What ran has broken off, when nobody knows: the last line of the session before is the last that is known.
void StudyTrace::begin_session(int mpi_ranks) {
  while (!open_.empty()) end_span(open_.begin()->first, RunPhase::broken);
  for (TracedRun& run : runs_) {
    if (run.phase == RunPhase::done) continue;
    run.phase = RunPhase::waiting;
    run.reason.clear();
  }
  sessions_.push_back({seconds_, seconds_, mpi_ranks});
}

bool StudyTrace::start(const Json& event, std::size_t run) {
  const auto first = rank_number(event, "first_rank"), count = rank_number(event, "ranks");
  if (!first || !count || *count == 0 || open_.contains(run)) return false;
  runs_[run].phase = RunPhase::running;
  runs_[run].ranks = RankSpan{*first, *count};
  runs_[run].began = seconds_;
  open_[run] = spans_.size();
  TracedSpan span;
  static_cast<StudySpan&>(span) = {run,      *runs_[run].ranks, seconds_,
                                   seconds_, sessions_.size(),  sessions_.back().mpi_ranks};
  spans_.push_back(span);
  return true;
}

bool StudyTrace::end(const Json& event, std::size_t run) {
  const auto phase = phase_of(text_in(event, "status"));
  if (!phase) return false;
  if (open_.contains(run)) end_span(run, *phase);
  runs_[run].phase = *phase;
  runs_[run].seconds += std::max(0.0, number_in(event, "seconds").value_or(0));
  const std::string where = text_in(event, "where"), what = text_in(event, "what");
  runs_[run].reason = where.empty() ? what : where + ": " + what;
  return true;
}

void StudyTrace::end_span(std::size_t run, RunPhase how) {
  TracedSpan& span = spans_[open_.at(run)];
  span.ended = seconds_;
  span.end = how;
  open_.erase(run);
}

}  // namespace tempera::drivers
