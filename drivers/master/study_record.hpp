#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/base/error.hpp"
#include "distributed/checkpoint/journal_file.hpp"
#include "distributed/tasks/rank_span.hpp"
#include "drivers/master/links.hpp"

namespace tempera::drivers {

/// How a run of a study stands.
struct InstanceRecord {
  InstanceState state = InstanceState::waiting;
  std::optional<RankSpan> ranks;              ///< that it had last
  double began = 0;                           ///< seconds of the study, of its last beginning
  double seconds = 0;                         ///< of working on it, in this process of the study and those before
  Category category = Category::environment;  ///< with the next two, why it failed
  std::string where, what;
  bool skipped = false;  ///< failed since something that it needs has
};

/// One beginning and end of a run on its ranks, for the use of the workers.
struct StudySpan {
  std::size_t instance = 0;
  RankSpan ranks;
  double began = 0, ended = 0;
  std::size_t session = 0;  ///< number of the process that worked on it, from 1
  int mpi_ranks = 1;        ///< of that process
};

/// What has happened in a study, as its journal tells it: a fold over its lines.
///
///     {"event":"begin","study_sha256":…}                    the first line
///     {"event":"session","mpi_ranks":4}                     a process takes up the work: what ran waits again
///     {"event":"start","run":"fit[rank=4]","first_rank":1,"ranks":2}
///     {"event":"end","run":"fit[rank=4]","status":"done|failed|skipped|left","seconds":1.5, category, where, what of a failure}
class StudyRecord {
 public:
  using Json = nlohmann::ordered_json;

  explicit StudyRecord(const StudyGraph& graph);
  const InstanceRecord& operator[](std::size_t instance) const { return instances_[instance]; }
  const std::vector<StudySpan>& spans() const { return spans_; }
  /// Of working on it, until the last line.
  double seconds() const { return seconds_; }
  std::string study_sha256() const { return sha256_; }
  /// Runs that stand so.
  std::size_t count(InstanceState state) const;

  /// @throws std::exception for what cannot follow
  void apply(const Json& event);

 private:
  std::unordered_map<std::string, std::size_t> numbers_;  // of the runs, by name
  std::vector<InstanceRecord> instances_;
  std::vector<StudySpan> spans_;
  double seconds_ = 0;
  std::size_t sessions_ = 0;
  int mpi_ranks_ = 1;
  std::string sha256_;
};

/// The record of a study that runs, with its journal: every event is on its way to the disk before anybody acts on it.
class StudyJournal {
 public:
  using Json = nlohmann::ordered_json;

  /// Begins one, or goes on with the one that is there. @throws Error{input} as read, and for that of another study;
  /// Error{environment}
  StudyJournal(const StudyGraph& graph, const std::filesystem::path& path, const std::string& study_sha256,
               int mpi_ranks);

  const StudyRecord& record() const { return record_; }
  /// Of working before this process.
  double seconds_before() const { return seconds_before_; }

  /// @param seconds  since this process began with the study
  void start(std::size_t instance, RankSpan ranks, double seconds);
  void end(std::size_t instance, const char* status, double seconds, double took, const Error* failure = nullptr);
  void sync() { file_.sync(); }
  void restore() { file_.restore(); }

 private:
  void append(Json event, double seconds);

  const StudyGraph& graph_;
  StudyRecord record_;
  JournalFile file_;
  double seconds_before_ = 0;
};

}  // namespace tempera::drivers
