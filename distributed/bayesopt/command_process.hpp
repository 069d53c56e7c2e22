#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "distributed/bayesopt/command_trial_output.hpp"

namespace tempera {

struct CommandProcessOptions {
  double timeout = std::numeric_limits<double>::infinity();  ///< seconds, then SIGTERM to the process group
  double grace = 5;                                          ///< seconds from SIGTERM to SIGKILL
  Index output_cap = 1 << 20;                                ///< bytes kept of each stream
  std::filesystem::path directory = {};                      ///< where it starts; empty: that of this process
  /// For the child, beside TEMPERA_TRIAL_DIR.
  std::vector<std::pair<std::string, std::string>> environment = {};
};

/// How a command ended.
struct CommandEnd {
  enum class How {
    exited,      ///< with status 0
    failed,      ///< with another status, or it could not be started
    crashed,     ///< by a signal
    timed_out,   ///<
    cancelled,   ///<
    no_process,  ///< this machine had none for it
    unseen       ///< somebody else waited for it
  };
  How how = How::exited;
  std::string reason;  ///< for people, with the last line of standard error; empty if it exited with 0
  double seconds = 0;
};

/// An external command while it runs. Nothing waits: whoever owns it calls poll() every few milliseconds, many at once if need
/// be.
///
/// It runs as a process group of its own, with a text on standard input and TEMPERA_TRIAL_DIR naming its folder; what it prints
/// goes to the files stdout and stderr there, capped. When its leader has ended all that is left of the group is killed, and
/// whatever carries the same TEMPERA_TRIAL_DIR.
class CommandProcess {
 public:
  /// Starts it. What keeps it from starting is in end().
  /// @param arguments  the program, found in PATH, and its words
  /// @param input      what it reads, kept in params.json of the folder
  /// @param folder     its own; made if absent
  /// @throws Error{environment} if the folder or its params.json cannot be written, or no file can be opened
  CommandProcess(const std::vector<std::string>& arguments, const std::string& input,
                 const std::filesystem::path& folder, const CommandProcessOptions& options = {});
  /// Kills what runs.
  ~CommandProcess();
  CommandProcess(const CommandProcess&) = delete;
  CommandProcess& operator=(const CommandProcess&) = delete;

  /// Moves bytes, keeps the deadline. @return whether it has ended  @throws Error{environment} if its files cannot be written
  bool poll();
  /// Asks it to end, as at the deadline. It has ended when poll() says so.
  void cancel();
  /// @pre poll() has returned true, of all below
  const CommandEnd& end() const { return end_; }
  /// The last line of its standard output that is not blank; nothing if it is too long to be kept whole.
  std::optional<std::string_view> last_output_line() const;
  /// Leader of the group; 0 if it could not be started or has ended.
  pid_t process() const { return leader_; }

 private:
  using Clock = std::chrono::steady_clock;

  void start(const std::vector<std::string>& arguments, const std::string& input);
  void keep_deadline();
  void conclude(int how);
  CommandEnd end_of(int how) const;
  void kill_all();

  std::filesystem::path folder_;
  CommandProcessOptions options_;
  TrialOutput out_;
  TrialOutput err_;
  pid_t leader_ = 0;
  pid_t started_ = 0;
  Clock::time_point start_;
  Clock::time_point kill_at_ = Clock::time_point::max();
  bool cancelled_ = false;
  bool timed_out_ = false;
  CommandEnd end_;
};

}  // namespace tempera
