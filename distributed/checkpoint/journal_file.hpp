#pragma once

#include <cstdint>
#include <filesystem>
#include <future>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tempera {

/// A file that only grows, of JSON objects, one a line, numbered and with a checksum,
///
///     {"sequence":7,"at_seconds":1.25,"event":"start","number":3,"crc32":"89abcdef"}
///
/// where crc32 (zlib's) is of the bytes before `,"crc32"`. An entry is handed to the system at once, so that the death of the
/// process loses none, and to the disk at most a second later if append or sync is called then.
/// One process of a run writes it.
class JournalFile {
 public:
  using Json = nlohmann::ordered_json;

  /// The entries of a file, their "sequence" among them. A last line without its end is one that was being written: it is
  /// left out.
  /// @throws Error{input} "FILE:LINE: …" for a wrong checksum, a gap in the numbers or anything but an object;
  ///         Error{input} if there is no such file
  static std::vector<Json> read(const std::filesystem::path& path);
  /// The same for those who only look: of a damaged file the entries before the damage.
  /// @param damage  gets what is wrong, "FILE:LINE: …", or nothing
  static std::vector<Json> read_good(const std::filesystem::path& path, std::optional<std::string>& damage);
  /// An entry that cannot be what it should. @param line  from 1 @throws Error{input} "PATH:LINE: WHAT", always
  [[noreturn]] static void damaged(const std::filesystem::path& path, std::size_t line, const std::string& what);

  /// Begins a new file. @throws Error{environment}, also if there is one
  static JournalFile create(const std::filesystem::path& path);
  /// Goes on with one. An unfinished last line is cut off. @param entries  gets what was in it
  /// @throws as read, and Error{environment}
  static JournalFile reopen(const std::filesystem::path& path, std::vector<Json>& entries);

  JournalFile(JournalFile&& other) noexcept;
  JournalFile& operator=(JournalFile&& other) noexcept;
  ~JournalFile();

  /// @throws Error{environment}
  void append(const Json& entry);
  /// All that was appended is on the disk when it returns. @throws Error{environment}
  void sync();
  /// The same on a thread of its own, which nobody waits for: a busy disk takes its time. @throws Error{environment} of one before
  void begin_sync();
  /// Writes the whole file anew, after its folder was removed and made again. @throws Error{environment}
  void restore();

 private:
  JournalFile(std::filesystem::path path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}
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
