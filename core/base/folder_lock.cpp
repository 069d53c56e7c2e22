#include "core/base/folder_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "core/base/detail/lock_record.hpp"
#include "core/base/error.hpp"
#include "core/base/system_error.hpp"
#include "core/base/text.hpp"

namespace tempera {

namespace fs = std::filesystem;
using detail::LockRecord;
using Seconds = std::chrono::duration<double>;

namespace {

constexpr const char* kTakeover = "lock.takeover-";
constexpr const char* kScratch = ".lock-";
constexpr double kContentionSeconds = 0.002;  // a takeover is a few system calls

double seconds_between(std::int64_t earlier_ns, std::int64_t later_ns) {
  return std::max(0.0, static_cast<double>(later_ns - earlier_ns) * 1e-9);
}

void pause(double seconds) {
  std::this_thread::sleep_for(Seconds(seconds));
}

}  // namespace

std::string LockOwner::description() const {
  if (pid == 0) return "a process that cannot be named (its lock is unreadable)";
  return fmt::format("process {} on {} ({}, started {})", pid, host, command, started);
}

/// How the lock is taken. The lock file is only ever created under a free name (link) or put over one stale lock by the
/// one process that owns the claim on it: the file lock.takeover-IDENTITY, likewise created under a free name. A claimant
/// that is dead itself is succeeded through the claim on its own identity, so that no claim has to be removed while
/// others may look at it; a claim that is made too late finds another lock in place and is void.
class FolderLock::Held {
 public:
  Held(fs::path folder, const std::string& command, const LockSettings& settings, Say say)
      : folder_(std::move(folder)),
        file_(folder_ / "lock"),
        settings_(settings),
        say_(std::move(say)),
        owner_(detail::this_process(command)) {
    acquire();
  }
  ~Held() { release(); }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;

  const fs::path& folder() const { return folder_; }
  const LockOwner& owner() const { return owner_; }
  bool lost() const { return lost_; }
  bool look();
  void restore();

 private:
  struct Verdict {
    enum { alive, stale, changed } what;
    std::string reason;  // of a stale one
  };

  void acquire();
  void take(const LockRecord& stale, const std::string& reason);
  bool finish_takeover(const fs::path& claim, const LockRecord& stale, int descriptor);
  Verdict judge(const fs::path& file, const LockRecord& seen);
  Verdict wait_for_life(const fs::path& file, const LockRecord& seen, double age);
  [[noreturn]] void refuse(const LockOwner& owner) const;
  void sweep_leftovers() const;
  void start_heart();
  void beat(const std::stop_token& stop);
  void release();
  std::optional<int> publish(const fs::path& name) const {
    return detail::publish(name, scratch(), detail::lock_text(owner_).text, file_);
  }
  fs::path scratch() const { return folder_ / (kScratch + owner_.token); }

  fs::path folder_;
  fs::path file_;
  LockSettings settings_;
  Say say_;
  LockOwner owner_;
  bool said_wait_ = false;
  int descriptor_ = -1;
  std::atomic<bool> lost_ = false;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread heart_;
};

void FolderLock::Held::acquire() {
  for (;; pause(kContentionSeconds)) {
    const auto seen = detail::read_lock_record(file_);
    if (!seen) {
      if (const auto descriptor = publish(file_)) descriptor_ = *descriptor;
    } else {
      const Verdict verdict = judge(file_, *seen);
      if (verdict.what == Verdict::alive) refuse(seen->owner);
      if (verdict.what == Verdict::stale) take(*seen, verdict.reason);
    }
    if (descriptor_ >= 0) break;
  }
  lost_ = false;
  sweep_leftovers();
  start_heart();
}

/// Gives up, for acquire() to look again, where somebody else was faster or the lock has changed.
void FolderLock::Held::take(const LockRecord& stale, const std::string& reason) {
  for (std::string identity = stale.identity;;) {
    const fs::path claim = folder_ / (kTakeover + identity);
    if (const auto descriptor = publish(claim)) {
      if (!finish_takeover(claim, stale, *descriptor)) return;
      if (say_)
        say_(stale.owner.pid == 0
                 ? fmt::format("the unreadable lock of {} is stale: {}; taken over", folder_.string(), reason)
                 : fmt::format("the lock of {} is stale: {}; taken over", stale.owner.description(), reason));
      return;
    }
    const auto claimant = detail::read_lock_record(claim);
    if (!claimant || judge(claim, *claimant).what != Verdict::stale) return;
    identity = claimant->identity;
  }
}

bool FolderLock::Held::finish_takeover(const fs::path& claim, const LockRecord& stale, int descriptor) {
  const auto now = detail::read_lock_record(file_);
  int problem = ENOENT;  // the claim is void
  if (now && now->identity == stale.identity) problem = std::rename(claim.c_str(), file_.c_str()) == 0 ? 0 : errno;
  const auto standing = problem == 0 ? detail::read_lock_record(file_) : std::nullopt;
  if (standing && standing->owner.token == owner_.token) {
    descriptor_ = descriptor;
    return true;
  }
  ::close(descriptor);
  if (problem != 0) ::unlink(claim.c_str());
  if (problem != 0 && problem != ENOENT) throw write_error(file_, problem);
  return false;
}

FolderLock::Held::Verdict FolderLock::Held::judge(const fs::path& file, const LockRecord& seen) {
  switch (detail::state_of(seen.owner)) {
    case LockState::alive: return {Verdict::alive, {}};
    case LockState::dead: return {Verdict::stale, "that process is gone"};
    case LockState::unknown: break;
  }
  const double age = seconds_between(seen.modified_ns, detail::file_system_time(scratch(), file_));
  return wait_for_life(file, seen, age);
}

FolderLock::Held::Verdict FolderLock::Held::wait_for_life(const fs::path& file, const LockRecord& seen, double age) {
  using Clock = std::chrono::steady_clock;
  const double patience = settings_.stale_seconds - age;
  if (patience > 0 && !said_wait_ && say_) {
    said_wait_ = true;
    say_(fmt::format("{}: locked by {}, which cannot be looked at from here; waiting at most {} for a sign of life",
                     folder_.string(), seen.owner.description(), human_duration(patience)));
  }
  const auto end = Clock::now() + Seconds(patience);
  while (Clock::now() < end) {
    const auto latest = detail::read_lock_record(file);
    if (!latest || latest->identity != seen.identity) return {Verdict::changed, {}};
    if (latest->beat != seen.beat) return {Verdict::alive, {}};
    pause(std::min(settings_.poll_seconds, settings_.stale_seconds));
  }
  return {Verdict::stale, "no sign of life for " + human_duration(std::max(age, settings_.stale_seconds))};
}

void FolderLock::Held::refuse(const LockOwner& owner) const {
  throw Error(Category::environment, folder_.string(), "is in use by " + owner.description(),
              "wait until that run has ended, or choose another folder");
}

/// What killed newcomers left: their unfinished files, once they are old, and claims on locks that stand here no more.
void FolderLock::Held::sweep_leftovers() const {
  struct stat own {};
  if (::fstat(descriptor_, &own) != 0) return;
  std::error_code error;
  for (fs::directory_iterator entry(folder_, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    struct stat status {};
    const bool old_scratch = name.starts_with(kScratch) && ::lstat(entry->path().c_str(), &status) == 0 &&
                             static_cast<double>(own.st_mtim.tv_sec - status.st_mtim.tv_sec) > settings_.stale_seconds;
    if (old_scratch || (name.starts_with(kTakeover) && name != kTakeover + owner_.token))
      ::unlink(entry->path().c_str());
  }
}

void FolderLock::Held::start_heart() {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);  // signals are for the threads that wait for them
  try {
    heart_ = std::jthread([this](const std::stop_token& stop) { beat(stop); });
  } catch (const std::system_error& error) {
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    release();
    throw Error(Category::environment, folder_.string(), std::string("no thread for its lock: ") + error.what(),
                "the limit on processes (ulimit -u) may be reached");
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

/// Writes through the open file: where folder or lock were removed nothing comes back.
void FolderLock::Held::beat(const std::stop_token& stop) {
  const auto at = static_cast<off_t>(detail::lock_text(owner_).beat_at);
  std::unique_lock guard(mutex_);
  for (std::uint64_t count = 1;; ++count) {
    wake_.wait_for(guard, stop, Seconds(settings_.heartbeat_seconds), [] { return false; });
    if (stop.stop_requested() || look()) return;
    const std::string digits = detail::beat_text(count);
    if (::pwrite(descriptor_, digits.data(), digits.size(), at) > 0) ::fdatasync(descriptor_);
    ::futimens(descriptor_, nullptr);  // on a full disk this alone is the sign of life
  }
}

bool FolderLock::Held::look() {
  if (lost_) return true;
  const auto standing = detail::read_lock_record(file_);
  const bool other = standing && standing->owner.pid != 0 && standing->owner.token != owner_.token;
  if (!standing || other) lost_ = true;
  return lost_;
}

void FolderLock::Held::restore() {
  if (!look()) return;
  release();
  owner_.token = detail::this_process(owner_.command).token;  // one identity a lock file
  said_wait_ = false;
  acquire();
}

void FolderLock::Held::release() {
  heart_ = {};
  if (descriptor_ < 0) return;
  const auto standing = detail::read_lock_record(file_);
  if (standing && standing->owner.token == owner_.token) ::unlink(file_.c_str());
  ::close(std::exchange(descriptor_, -1));
}

FolderLock::FolderLock(fs::path folder, const std::string& command, const LockSettings& settings, const Say& say)
    : held_(std::make_unique<Held>(std::move(folder), command, settings, say)) {}

FolderLock::~FolderLock() {
  // A fork has a copy of this object, but neither the thread nor the lock.
  if (held_->owner().pid != ::getpid()) static_cast<void>(held_.release());
}

const fs::path& FolderLock::folder() const {
  return held_->folder();
}

const std::string& FolderLock::token() const {
  return held_->owner().token;
}

bool FolderLock::lost() const {
  return held_->lost();
}

bool FolderLock::check() {
  return held_->look();
}

void FolderLock::restore() {
  held_->restore();
}

std::optional<LockInfo> FolderLock::inspect(const fs::path& folder) {
  const auto record = detail::read_lock_record(folder / "lock");
  if (!record) return std::nullopt;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return LockInfo{record->owner, detail::state_of(record->owner),
                  seconds_between(record->modified_ns, std::chrono::nanoseconds(now).count())};
}

}  // namespace tempera
