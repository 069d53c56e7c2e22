#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace tempera {

/// The process that a lock names.
struct LockOwner {
  std::string host;
  std::string boot_id;              ///< of the host's kernel; another after each boot
  std::uint64_t pid_namespace = 0;  ///< inode of /proc/self/ns/pid; 0 if unknown
  std::int64_t pid = 0;             ///< 0: the lock cannot be read
  std::uint64_t process_start = 0;  ///< clock ticks from boot to the start of the process; tells a pid that came again
  std::string token;                ///< 32 random hexadecimal digits: identity of this one lock
  std::string command;              ///< for people: "tempera decompose"
  std::string started;              ///< UTC, 2026-01-31T12:34:56Z

  /// "process 1234 on node7 (tempera decompose, started 2026-01-31T12:34:56Z)"
  std::string description() const;
};

enum class LockState {
  alive,   ///< its process runs on this machine
  dead,    ///< its process ran on this machine and is gone
  unknown  ///< another machine or container, or unreadable: judge by the age of the heartbeat
};

struct LockInfo {
  LockOwner owner;
  LockState state = LockState::unknown;
  double heartbeat_age = 0;  ///< seconds since the last sign of life, by this machine's clock
};

struct LockSettings {
  double heartbeat_seconds = 10;  ///< the owner shows that often that it lives
  double stale_seconds = 60;      ///< a lock from elsewhere without a sign of life for so long is dead
  double poll_seconds = 0.5;      ///< how often a newcomer looks while it waits for one
};

/// Keeps two runs out of one folder, also on file systems shared between machines. The lock is the small JSON file
/// FOLDER/lock; it appears whole or not at all, and of any number of newcomers one gets it.
///
/// A lock of this machine whose process is gone (or whose pid belongs to another process by now) is taken over at once.
/// Processes of other machines and containers cannot be looked at: such an owner must show a sign of life (the owner
/// rewrites its heartbeat every heartbeat_seconds from a thread) before the lock is stale_seconds old, measured by the
/// file system's clock, so that the clocks of the machines do not matter; a newcomer waits for that long at most. The
/// same holds for a lock that cannot be read.
///
/// An owner that was suspended for longer than stale_seconds may lose its lock to another machine: ask lost() before
/// writing anything that must not be mixed.
///
/// One process of a job holds it. A forked child may not use its copy; the child's destructor leaves the lock alone.
class FolderLock {
 public:
  using Say = std::function<void(const std::string&)>;

  /// Takes the lock.
  /// @param folder   must exist
  /// @param command  what people read of the owner: "tempera decompose"
  /// @param say      called at most once to announce a wait and once to announce that a stale lock was taken over; may
  ///                 be empty
  /// @throws Error{environment} "FOLDER: is in use by process …", or the system's reason (no permission, disk full …)
  FolderLock(std::filesystem::path folder, const std::string& command, const LockSettings& settings = {},
             const Say& say = {});
  /// Removes the lock if it is still the own one.
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

  const std::filesystem::path& folder() const;
  /// Identity of this lock: 32 hexadecimal digits; another one after a restore() that took the lock anew.
  const std::string& token() const;

  /// Whether folder or lock have vanished or the lock is another's, as last seen by the heartbeat or check(). Costs
  /// nothing. Stays true until restore().
  bool lost() const;
  /// Looks now; returns lost(). A read error that says nothing about the lock does not count as a loss.
  bool check();
  /// Takes the lock again after a loss, in the folder that the caller has made anew. Does nothing if it is not lost.
  /// @throws Error{environment} as the constructor does, for instance because another run lives there now
  void restore();

  /// What stands in the folder, without touching it; nothing if there is no lock (or no folder). Never throws for what
  /// it finds: of an unreadable lock the owner is empty.
  static std::optional<LockInfo> inspect(const std::filesystem::path& folder);

 private:
  class Held;
  std::unique_ptr<Held> held_;
};

}  // namespace tempera
