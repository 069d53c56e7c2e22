#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "core/base/folder_lock.hpp"

namespace tempera::detail {

/// A lock file as it stands on the disk.
struct LockRecord {
  LockOwner owner;               ///< empty if the file cannot be read
  std::string identity;          ///< names this one file among all that may ever stand here; fit for a file name
  std::string beat;              ///< changes with each sign of life
  std::int64_t modified_ns = 0;  ///< by the file system's clock
};

/// Nothing if there is no such file; whatever else stands there gives a record.
std::optional<LockRecord> read_lock_record(const std::filesystem::path& file);

/// This process, with a fresh token. @throws Error{environment} if the system has no random bytes
LockOwner this_process(const std::string& command);

/// What this machine knows of the owner.
LockState state_of(const LockOwner& owner);

/// Text of a lock file, and where in it the heartbeat stands: kBeatDigits digits that may be overwritten in place.
struct LockText {
  std::string text;
  std::size_t beat_at = 0;
};
constexpr int kBeatDigits = 20;
LockText lock_text(const LockOwner& owner);
std::string beat_text(std::uint64_t count);

/// The file system's clock in nanoseconds, read off a file that is made and removed again.
/// @throws Error{environment} naming `blamed` where no file can be made
std::int64_t file_system_time(const std::filesystem::path& scratch, const std::filesystem::path& blamed);

/// Puts a file with this text under a name that is free, whole at once where the file system has hard links.
/// @return descriptor of the file, open for writing, or nothing if the name is taken
/// @throws Error{environment} naming `blamed`
std::optional<int> publish(const std::filesystem::path& name, const std::filesystem::path& scratch,
                           const std::string& text, const std::filesystem::path& blamed);

/// The same for file systems without hard links: for a moment the file stands there without its text.
std::optional<int> publish_in_place(const std::filesystem::path& name, const std::string& text,
                                    const std::filesystem::path& blamed);

}  // namespace tempera::detail
