#include "distributed/bayesopt/command_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "core/base/system_error.hpp"
#include "core/base/text.hpp"
#include "distributed/bayesopt/command_trial_processes.hpp"
#include "distributed/bayesopt/command_trial_result.hpp"

namespace tempera {

namespace {

std::filesystem::path made_folder(const std::filesystem::path& folder) {
  std::error_code problem;
  std::filesystem::create_directories(folder, problem);
  if (problem) throw write_error(folder, problem.value());
  return std::filesystem::absolute(folder).lexically_normal();
}

void write_input(const std::filesystem::path& file, const std::string& text) {
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor < 0) throw write_error(file, errno);
  int problem = write_all(descriptor, text);
  if (::close(descriptor) != 0 && problem == 0) problem = errno;
  if (problem != 0) throw write_error(file, problem);
}

/// Of a signal: "signal 11 (Segmentation fault)".
std::string signal_text(int number) {
  const char* const description = ::sigdescr_np(number);
  return fmt::format("signal {} ({})", number, description == nullptr ? "unknown" : description);
}

}  // namespace

CommandProcess::CommandProcess(const std::vector<std::string>& arguments, const std::string& input,
                               const std::filesystem::path& folder, const CommandProcessOptions& options)
    : folder_(made_folder(folder)),
      options_(options),
      out_(folder_ / "stdout", options.output_cap),
      err_(folder_ / "stderr", options.output_cap),
      start_(Clock::now()) {
  start(arguments, input);
}

CommandProcess::~CommandProcess() {
  if (leader_ == 0) return;
  kill_all();
  int status = 0;
  while (::waitpid(leader_, &status, 0) < 0 && errno == EINTR) {
  }
}

void CommandProcess::start(const std::vector<std::string>& arguments, const std::string& input) {
  write_input(folder_ / "params.json", input);
  std::vector<std::pair<std::string, std::string>> changes = options_.environment;
  changes.emplace_back(kTrialFolderVariable, folder_.string());
  int problem = 0;
  leader_ = started_ = start_group(arguments, child_environment(changes), options_.directory,
                                   {folder_ / "params.json", out_.writing_end(), err_.writing_end()}, problem);
  out_.close_writing_end();
  err_.close_writing_end();
  if (leader_ != 0) return;
  const bool for_want_of_room = problem == EAGAIN || problem == ENOMEM || problem == EMFILE || problem == ENFILE;
  end_.how = for_want_of_room ? CommandEnd::How::no_process : CommandEnd::How::failed;
  end_.reason =
      fmt::format("'{}' cannot be started: {}", excerpt(arguments.front()), std::generic_category().message(problem));
}

bool CommandProcess::poll() {
  if (leader_ == 0) return true;
  out_.read();
  err_.read();
  siginfo_t how = {};
  // The leader stays a zombie until the group is dead, so that nobody else can have its number meanwhile.
  const int answer = ::waitid(P_PID, static_cast<id_t>(leader_), &how, WEXITED | WNOHANG | WNOWAIT);
  if (answer == 0 && how.si_pid == leader_) {
    kill_all();
    int status = 0;
    while (::waitpid(leader_, &status, 0) < 0 && errno == EINTR) {
    }
    conclude(status);
  } else if (answer != 0 && errno == ECHILD) {
    kill_all();
    conclude(-1);
  } else {
    keep_deadline();
  }
  return leader_ == 0;
}

void CommandProcess::cancel() {
  if (leader_ == 0 || cancelled_ || timed_out_) return;
  cancelled_ = true;
  ::kill(-leader_, SIGTERM);
  kill_at_ = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(options_.grace));
}

void CommandProcess::keep_deadline() {
  const Clock::time_point now = Clock::now();
  if (!cancelled_ && !timed_out_ && std::chrono::duration<double>(now - start_).count() >= options_.timeout) {
    timed_out_ = true;
    ::kill(-leader_, SIGTERM);
    kill_at_ = now + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(options_.grace));
  }
  if (now >= kill_at_) ::kill(-leader_, SIGKILL);
}

void CommandProcess::kill_all() {
  ::kill(-leader_, SIGKILL);
  kill_strays(folder_, started_);
}

void CommandProcess::conclude(int how) {
  leader_ = 0;
  const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
  out_.finish();
  err_.finish();
  end_ = end_of(how);
  end_.seconds = seconds;
}

CommandEnd CommandProcess::end_of(int how) const {
  using How = CommandEnd::How;
  const std::string complaint = excerpt(last_line(err_.recent()));
  const auto because = [&](std::string reason) {
    return complaint.empty() ? std::move(reason) : fmt::format("{}: {}", reason, complaint);
  };
  if (cancelled_) return {How::cancelled, "cancelled"};
  if (timed_out_) return {How::timed_out, because(fmt::format("stopped after {}", human_duration(options_.timeout)))};
  if (how < 0) return {How::unseen, "its end was not seen: somebody else waited for it"};
  if (WIFSIGNALED(how)) return {How::crashed, because(signal_text(WTERMSIG(how)))};
  if (WEXITSTATUS(how) != 0) return {How::failed, because(fmt::format("exit status {}", WEXITSTATUS(how)))};
  return {};
}

std::optional<std::string_view> CommandProcess::last_output_line() const {
  const std::string_view recent = out_.recent();
  const std::string_view line = last_line(recent);
  const bool begins_in_sight =
      out_.is_complete() ||
      recent.substr(0, static_cast<std::size_t>(line.data() - recent.data())).find('\n') < recent.size();
  if (!line.empty() && !begins_in_sight) return std::nullopt;
  return line;
}

}  // namespace tempera
