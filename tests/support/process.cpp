#include "tests/support/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

extern char** environ;

namespace tempera::test {

namespace {

using Clock = std::chrono::steady_clock;

struct Pipe {
  Pipe() {
    if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("cannot create a pipe");
  }
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  void close_end(std::size_t end) {
    if (ends[end] >= 0) ::close(ends[end]);
    ends[end] = -1;
  }
  std::array<int, 2> ends{-1, -1};
};

std::vector<std::string> changed_environment(const ProcessSettings& settings) {
  std::vector<std::string> variables;
  const auto is_changed = [&](const std::string& entry) {
    for (const auto& [name, value] : settings.environment)
      if (entry.starts_with(name + "=")) return true;
    return false;
  };
  for (char** entry = environ; *entry != nullptr; ++entry)
    if (!is_changed(*entry)) variables.emplace_back(*entry);
  for (const auto& [name, value] : settings.environment)
    if (value) variables.push_back(name + "=" + *value);
  return variables;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

/// Reads both pipes until they are closed; false if that takes longer than allowed.
bool collect(Pipe& out, Pipe& err, ProcessResult& result, double seconds) {
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  std::array<pollfd, 2> wanted{{{out.ends[0], POLLIN, 0}, {err.ends[0], POLLIN, 0}}};
  const std::array<std::string*, 2> texts{&result.out, &result.err};
  int open = 2;
  while (open > 0) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
    if (left <= 0) return false;
    if (poll(wanted.data(), wanted.size(), static_cast<int>(left)) <= 0) continue;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      if (wanted[i].fd < 0 || wanted[i].revents == 0) continue;
      std::array<char, 4096> block;
      const ssize_t count = read(wanted[i].fd, block.data(), block.size());
      if (count > 0) {
        texts[i]->append(block.data(), static_cast<std::size_t>(count));
      } else {
        wanted[i].fd = -1;
        --open;
      }
    }
  }
  return true;
}

}  // namespace

pid_t start_process(std::vector<std::string> command, const ProcessSettings& settings, int out, int err) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out, 1);
  posix_spawn_file_actions_adddup2(&actions, err, 2);
  if (!settings.folder.empty()) posix_spawn_file_actions_addchdir_np(&actions, settings.folder.c_str());
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);  // so that a timeout ends the children as well
  std::vector<std::string> variables = changed_environment(settings);
  pid_t process = -1;
  const int problem = posix_spawnp(&process, command[0].c_str(), &actions, &attributes, pointers(command).data(),
                                   pointers(variables).data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (problem != 0) throw std::runtime_error("cannot start " + command[0] + ": " + std::strerror(problem));
  return process;
}

ProcessResult run_process(const std::vector<std::string>& command, const ProcessSettings& settings) {
  Pipe out;
  Pipe err;
  ProcessResult result;
  const pid_t process = start_process(command, settings, out.ends[1], err.ends[1]);
  out.close_end(1);
  err.close_end(1);
  result.timed_out = !collect(out, err, result, settings.seconds);
  if (result.timed_out) kill(-process, SIGKILL);
  int status = 0;
  waitpid(process, &status, 0);
  result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

std::string tempera_executable() {
  const char* path = std::getenv("TEMPERA_EXECUTABLE");
  return path != nullptr ? path : TEMPERA_BINARY_DIR "/tempera";
}

std::vector<std::string> tempera_command(int ranks, std::vector<std::string> arguments, ProcessSettings& settings) {
  std::vector<std::string> command;
  if (ranks > 0) {
    for (const char* name : {"OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM",
                             "OMPI_MCA_rmaps_base_oversubscribe", "OMPI_MCA_mpi_yield_when_idle"})
      settings.environment.emplace_back(name, "1");
    command = {TEMPERA_MPIEXEC, TEMPERA_MPIEXEC_RANKS, std::to_string(ranks)};
  }
  command.push_back(tempera_executable());
  command.insert(command.end(), arguments.begin(), arguments.end());
  return command;
}

ProcessResult tempera(const std::vector<std::string>& arguments, ProcessSettings settings) {
  return tempera_ranks(0, arguments, std::move(settings));
}

ProcessResult tempera_ranks(int ranks, const std::vector<std::string>& arguments, ProcessSettings settings) {
  const auto command = tempera_command(ranks, arguments, settings);
  return run_process(command, settings);
}

int occurrences(const std::string& text, const std::string& part) {
  int count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

}  // namespace tempera::test
