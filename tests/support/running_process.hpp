#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "tests/support/data.hpp"
#include "tests/support/process.hpp"

namespace tempera::test {

/// A program that runs beside the test: to be signalled, killed or waited for. Killed with its MPI ranks on destruction.
class RunningProcess {
 public:
  /// Starts the program (found in PATH) without a shell; `settings.seconds` does not matter here.
  RunningProcess(std::vector<std::string> command, const ProcessSettings& settings = {});
  ~RunningProcess();
  RunningProcess(const RunningProcess&) = delete;
  RunningProcess& operator=(const RunningProcess&) = delete;

  pid_t id() const { return process_; }
  bool is_running() const;
  /// To the program itself (mpirun of an MPI job).
  void signal(int number) const;
  /// Processes of the MPI ranks that mpirun has started by now: element r is the process of rank r, or 0.
  std::vector<pid_t> ranks() const;
  /// To the process of one MPI rank; the program itself if it is not mpirun. False if there is none (any more).
  bool signal_rank(int rank, int number) const;
  /// SIGKILL to mpirun and all its ranks, as when a node is lost; returns when they are all gone.
  void kill_all();

  /// Waits for the end of the program; what it printed until then. Killed when it takes longer.
  ProcessResult wait(double seconds = 120);

 private:
  pid_t process_ = -1;
  int handle_ = -1;
  TemporaryFolder output_;
  bool reaped_ = false;
  int status_ = 0;
};

/// `mpirun -n RANKS tempera ARGUMENTS`, or `tempera ARGUMENTS` on 0 ranks, in the background.
RunningProcess tempera_in_background(int ranks, std::vector<std::string> arguments, ProcessSettings settings = {});

/// Asks again and again until the condition holds; false after `seconds`, or as soon as `process` has ended without it.
bool wait_until(const std::function<bool()>& condition, double seconds = 60, const RunningProcess* process = nullptr);

}  // namespace tempera::test
