#include "tests/support/running_process.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <map>
#include <stdexcept>

namespace tempera::test {

namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr int kLookEvery = 2;  // milliseconds between two looks at a condition

// glibc 2.36 declares these two without extern "C".
int open_process(pid_t process) {
  return static_cast<int>(syscall(SYS_pidfd_open, process, 0));
}
void kill_process(int handle) {
  syscall(SYS_pidfd_send_signal, handle, SIGKILL, nullptr, 0);
}

/// Waits until the process of this descriptor has ended; false after the time.
bool wait_for_end(int handle, double seconds) {
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
    pollfd wanted{handle, POLLIN, 0};
    if (poll(&wanted, 1, static_cast<int>(std::max<long>(0, left))) > 0) return true;
    if (left <= 0) return false;
  }
}

/// Parent of a process, or 0. The name in field 2 may hold spaces and parentheses.
pid_t parent_of(pid_t process) {
  const std::string text = read_text("/proc/" + std::to_string(process) + "/stat");
  const std::size_t name_end = text.rfind(") ");
  if (name_end == std::string::npos) return 0;
  return static_cast<pid_t>(std::strtol(text.c_str() + name_end + 4, nullptr, 10));  // ") S PARENT"
}

/// Whether the process descends from `ancestor`.
bool descends(pid_t process, pid_t ancestor) {
  while (process > 1) {
    process = parent_of(process);
    if (process == ancestor) return true;
  }
  return false;
}

/// MPI rank that mpirun (Open MPI, or Hydra of MPICH) gave to the process, or −1.
int rank_of(pid_t process) {
  const std::string text = '\0' + read_text("/proc/" + std::to_string(process) + "/environ");
  for (const char* variable : {"OMPI_COMM_WORLD_RANK=", "PMI_RANK="}) {
    const std::string name = '\0' + std::string(variable);
    const std::size_t at = text.find(name);
    if (at != std::string::npos) return std::atoi(text.c_str() + at + name.size());
  }
  return -1;
}

std::vector<pid_t> all_processes() {
  std::vector<pid_t> found;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const long number = std::strtol(entry.path().filename().c_str(), nullptr, 10);
    if (number > 0) found.push_back(static_cast<pid_t>(number));
  }
  return found;
}

}  // namespace

RunningProcess::RunningProcess(std::vector<std::string> command, const ProcessSettings& settings) {
  const int out = ::open((output_ / "out").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_APPEND, 0666);
  const int err = ::open((output_ / "err").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_APPEND, 0666);
  process_ = start_process(std::move(command), settings, out, err);
  ::close(out);
  ::close(err);
  handle_ = open_process(process_);
  if (handle_ < 0) throw std::runtime_error("cannot watch a process");
}

RunningProcess::~RunningProcess() {
  if (!reaped_) {
    kill_all();
    wait(60);
  }
  ::close(handle_);
}

bool RunningProcess::is_running() const {
  return !reaped_ && !wait_for_end(handle_, 0);
}

void RunningProcess::signal(int number) const {
  if (!reaped_) ::kill(process_, number);
}

std::vector<pid_t> RunningProcess::ranks() const {
  std::map<int, pid_t> found;
  for (const pid_t process : all_processes()) {
    if (!descends(process, process_)) continue;
    const int rank = rank_of(process);
    // A rank's own children inherit its environment; the rank is the one right below mpirun.
    if (rank >= 0 && rank_of(parent_of(process)) < 0) found[rank] = process;
  }
  std::vector<pid_t> result(found.empty() ? 0 : static_cast<std::size_t>(found.rbegin()->first) + 1, 0);
  for (const auto& [rank, process] : found) result[static_cast<std::size_t>(rank)] = process;
  return result;
}

bool RunningProcess::signal_rank(int rank, int number) const {
  const std::vector<pid_t> processes = ranks();
  if (processes.empty() && rank == 0 && is_running()) return ::kill(process_, number) == 0;
  const auto r = static_cast<std::size_t>(rank);
  return r < processes.size() && processes[r] > 0 && ::kill(processes[r], number) == 0;
}

void RunningProcess::kill_all() {
  // Stopped first, so that mpirun can neither start nor clean up anything meanwhile.
  signal(SIGSTOP);
  std::vector<int> handles;
  for (const pid_t process : ranks())
    if (process > 0)
      if (const int handle = open_process(process); handle >= 0) handles.push_back(handle);
  signal(SIGKILL);
  for (const int handle : handles) kill_process(handle);
  for (const int handle : handles) {
    if (!wait_for_end(handle, 60)) throw std::runtime_error("a killed rank does not end");
    ::close(handle);
  }
  if (!reaped_ && !wait_for_end(handle_, 60)) throw std::runtime_error("a killed process does not end");
}

ProcessResult RunningProcess::wait(double seconds) {
  ProcessResult result;
  if (!reaped_) {
    result.timed_out = !wait_for_end(handle_, seconds);
    if (result.timed_out) kill_all();
    waitpid(process_, &status_, 0);
    reaped_ = true;
  }
  result.status = WIFEXITED(status_) ? WEXITSTATUS(status_) : 128 + WTERMSIG(status_);
  result.out = read_text(output_ / "out");
  result.err = read_text(output_ / "err");
  return result;
}

RunningProcess tempera_in_background(int ranks, std::vector<std::string> arguments, ProcessSettings settings) {
  return {tempera_command(ranks, std::move(arguments), settings), settings};
}

bool wait_until(const std::function<bool()>& condition, double seconds, const RunningProcess* process) {
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  for (;;) {
    const bool running = process == nullptr || process->is_running();
    if (condition()) return true;
    if (!running || Clock::now() > end) return false;
    poll(nullptr, 0, kLookEvery);
  }
}

}  // namespace tempera::test
