#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <future>
#include <string>
#include <vector>

#include "distributed/bayesopt/event.hpp"

namespace tempera {

struct JournalEntry {
  double seconds = 0;  ///< of the optimisation, in this process and those before it
  Event event;
};

/// The events of one run in a file that only grows: a JSON object a line, numbered and with a checksum,
///
///     {"sequence":7,"at_seconds":1.25,"event":"start","number":3,"attempt":0,"worker":1,"crc32":"89abcdef"}
///
/// where crc32 (zlib's) is of the bytes before `,"crc32"`. An event is handed to the system at once, so that the death of the
/// process loses none, and to the disk at most a second later if append or sync is called then.
/// One process of a run writes it.
class Journal {
 public:
  /// The entries of a file. A last line without its end is one that was being written: it is left out.
  /// @throws Error{input} "FILE:LINE: …" for a wrong checksum, a gap in the numbers or anything but an event;
  ///         Error{input} if there is no such file
  static std::vector<JournalEntry> read(const std::filesystem::path& path);

  /// Begins a new file. @throws Error{environment}, also if there is one
  static Journal create(const std::filesystem::path& path);
  /// Goes on with one. An unfinished last line is cut off. @param entries  gets what was in it
  /// @throws as read, and Error{environment}
  static Journal reopen(const std::filesystem::path& path, std::vector<JournalEntry>& entries);

  Journal(Journal&& other) noexcept;
  Journal& operator=(Journal&& other) noexcept;
  ~Journal();

  /// @throws Error{environment}
  void append(const JournalEntry& entry);
  /// All that was appended is on the disk when it returns. @throws Error{environment}
  void sync();
  /// The same on a thread of its own, which nobody waits for: a busy disk takes its time. @throws Error{environment} of one before
  void begin_sync();
  /// Writes the whole file anew, after its folder was removed and made again. @throws Error{environment}
  void restore();

 private:
  Journal(std::filesystem::path path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}
  void write(std::string_view bytes);
  void end_sync();

  std::filesystem::path path_;
  int descriptor_ = -1;
  std::int64_t sequence_ = 0;
  std::string text_;  // the whole file
  bool unsynced_ = false;
  double last_sync_ = 0;
  std::future<int> syncing_;  // errno of the one on its way
};

}  // namespace tempera
