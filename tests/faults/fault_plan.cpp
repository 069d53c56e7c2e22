#include "tests/faults/fault_plan.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

// This library is loaded into every process of a job before anything else, so it uses the C library alone and system
// calls where the C function is one of those it replaces.

namespace tempera::faults {

namespace {

constexpr std::size_t kPathBytes = 4096;

enum class Action { none, kill, kill_after, torn, fail };

struct Plan {
  const char* watched = nullptr;  ///< part of the path; null: nothing is counted
  long first = 0;                 ///< number of the call that is hit, from 1
  long more = 0;                  ///< calls after it that fail too
  Action action = Action::none;
  int error = 0;
  int rank = 0;
  int log = -1;
};

Plan plan;
std::atomic<long> counted{0};

long number_of(const char* variable, long otherwise) {
  const char* text = ::getenv(variable);
  return text != nullptr && *text != '\0' ? ::strtol(text, nullptr, 10) : otherwise;
}

[[noreturn]] void refuse(const char* what, const char* text) {
  char line[256];
  const int length = ::snprintf(line, sizeof line, "fault injection: %s '%s'\n", what, text);
  ::syscall(SYS_write, 2, line, length);
  ::_exit(127);
}

void read_action(const char* text) {
  constexpr struct {
    const char* name;
    Action action;
    int error;
  } kActions[] = {{"kill", Action::kill, 0},        {"kill-after", Action::kill_after, 0},
                  {"torn", Action::torn, 0},        {"ENOSPC", Action::fail, ENOSPC},
                  {"EIO", Action::fail, EIO},       {"EACCES", Action::fail, EACCES},
                  {"EDQUOT", Action::fail, EDQUOT}, {"ENOENT", Action::fail, ENOENT}};
  for (const auto& known : kActions)
    if (::strcmp(text, known.name) == 0) {
      plan.action = known.action;
      plan.error = known.error;
      return;
    }
  refuse("unknown TEMPERA_FAULT_ACTION", text);
}

__attribute__((constructor)) void read_plan() {
  plan.rank = static_cast<int>(number_of("OMPI_COMM_WORLD_RANK", number_of("PMI_RANK", 0)));
  if (number_of("TEMPERA_FAULT_RANK", plan.rank) != plan.rank) return;
  plan.first = number_of("TEMPERA_FAULT_CALL", 0);
  plan.more = number_of("TEMPERA_FAULT_COUNT", 0);
  if (const char* action = ::getenv("TEMPERA_FAULT_ACTION")) read_action(action);
  if (const char* log = ::getenv("TEMPERA_FAULT_LOG")) {
    plan.log = static_cast<int>(::syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
    if (plan.log < 0) refuse("cannot write TEMPERA_FAULT_LOG", log);
  }
  plan.watched = ::getenv("TEMPERA_FAULT_PATH");
}

void path_of(int descriptor, char (&path)[kPathBytes]) {
  char link[64];
  ::snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  const ssize_t length = ::readlink(link, path, kPathBytes - 1);
  path[length < 0 ? 0 : length] = '\0';
}

void absolute(int folder, const char* path, char (&result)[kPathBytes]) {
  if (path[0] == '/') {
    ::snprintf(result, kPathBytes, "%s", path);
    return;
  }
  if (folder == AT_FDCWD) {
    if (::getcwd(result, kPathBytes) == nullptr) result[0] = '\0';
  } else {
    path_of(folder, result);
  }
  const std::size_t length = ::strlen(result);
  ::snprintf(result + length, kPathBytes - length, "/%s", path);
}

bool concerns(const char* path) {
  return path != nullptr && ::strstr(path, plan.watched) != nullptr;
}

/// One line a call: rank, number, call, path(s), by tabs; written at once so that ranks may share the file.
void write_log(long number, const char* call, const char* path, const char* second) {
  char line[2 * kPathBytes + 128];
  const int length = ::snprintf(line, sizeof line, "%d\t%ld\t%s\t%s%s%s\n", plan.rank, number, call, path,
                                second != nullptr ? "\t" : "", second != nullptr ? second : "");
  if (length > 0) ::syscall(SYS_write, plan.log, line, static_cast<std::size_t>(length));
}

Decision judge(const char* call, const char* path, const char* second) {
  if (!concerns(path) && !concerns(second)) return {};
  const long number = ++counted;
  if (plan.log >= 0) write_log(number, call, path, second);
  if (plan.first < 1 || number < plan.first) return {};
  if (plan.action == Action::fail)
    return number <= plan.first + plan.more ? Decision{plan.error, false, false} : Decision{};
  if (number > plan.first) return {};
  if (plan.action == Action::kill) die();
  return {0, plan.action == Action::torn, plan.action == Action::kill_after};
}

/// Calls outside of the plan must leave errno as it was.
struct KeepErrno {
  int value = errno;
  ~KeepErrno() { errno = value; }
};

}  // namespace

Decision decide(const char* call, const char* path, const char* second) {
  return decide_at(call, AT_FDCWD, path, AT_FDCWD, second);
}

Decision decide_at(const char* call, int folder, const char* path, int second_folder, const char* second) {
  if (plan.watched == nullptr || path == nullptr) return {};
  const KeepErrno keep;
  char whole[kPathBytes], whole_second[kPathBytes];
  absolute(folder, path, whole);
  if (second != nullptr) absolute(second_folder, second, whole_second);
  return judge(call, whole, second != nullptr ? whole_second : nullptr);
}

Decision decide(const char* call, int descriptor) {
  if (plan.watched == nullptr) return {};
  const KeepErrno keep;
  char path[kPathBytes];
  path_of(descriptor, path);
  return judge(call, path, nullptr);
}

bool is_written(int descriptor) {
  if (plan.watched == nullptr) return false;
  const KeepErrno keep;
  const int flags = ::fcntl(descriptor, F_GETFL);
  return flags >= 0 && (flags & O_ACCMODE) != O_RDONLY;
}

void die() {
  ::kill(::getpid(), SIGKILL);
  for (;;) ::pause();
}

}  // namespace tempera::faults
