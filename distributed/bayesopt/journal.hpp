#pragma once

#include <filesystem>
#include <utility>
#include <vector>

#include "distributed/bayesopt/event.hpp"
#include "distributed/checkpoint/journal_file.hpp"

namespace tempera {

struct JournalEntry {
  double seconds = 0;  ///< of the optimisation, in this process and those before it
  Event event;
};

/// The events of one optimisation as a journal file keeps them (see JournalFile).
class Journal {
 public:
  /// @throws as JournalFile::read, and Error{input} "FILE:LINE: …" for what is no event
  static std::vector<JournalEntry> read(const std::filesystem::path& path);

  /// Begins a new file. @throws Error{environment}, also if there is one
  static Journal create(const std::filesystem::path& path) { return Journal(JournalFile::create(path)); }
  /// Goes on with one. @param entries  gets what was in it @throws as read, and Error{environment}
  static Journal reopen(const std::filesystem::path& path, std::vector<JournalEntry>& entries);

  /// @throws Error{environment}, as those below
  void append(const JournalEntry& entry);
  void sync() { file_.sync(); }
  void begin_sync() { file_.begin_sync(); }
  void restore() { file_.restore(); }

 private:
  explicit Journal(JournalFile file) : file_(std::move(file)) {}

  JournalFile file_;
};

}  // namespace tempera
