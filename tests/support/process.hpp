#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tempera::test {

struct ProcessResult {
  int status = -1;  ///< exit status, or 128 + the signal that ended it
  std::string out;
  std::string err;
  bool timed_out = false;
};

struct ProcessSettings {
  double seconds = 120;               ///< then the process and its children are killed
  std::filesystem::path folder = {};  ///< to start in; the current one if empty
  /// Variables to set, or to remove where there is no value; the rest is inherited.
  std::vector<std::pair<std::string, std::optional<std::string>>> environment = {};
};

/// Runs a program (found in PATH) to its end without a shell; standard input is empty.
ProcessResult run_process(const std::vector<std::string>& command, const ProcessSettings& settings = {});

/// Starts it with these descriptors as standard output and error; the caller waits for it.
pid_t start_process(std::vector<std::string> command, const ProcessSettings& settings, int out, int err);

/// Path of the tempera executable under test: TEMPERA_EXECUTABLE, or the one in the build folder.
std::string tempera_executable();
/// The command `mpirun -n RANKS tempera ARGUMENTS`, allowed as root and beyond the cores by what is added to the
/// settings; `tempera ARGUMENTS` on 0 ranks.
std::vector<std::string> tempera_command(int ranks, std::vector<std::string> arguments, ProcessSettings& settings);
/// `tempera ARGUMENTS`
ProcessResult tempera(const std::vector<std::string>& arguments, ProcessSettings settings = {});
/// The same on MPI ranks.
ProcessResult tempera_ranks(int ranks, const std::vector<std::string>& arguments, ProcessSettings settings = {});

/// Times that `part` occurs in `text`.
int occurrences(const std::string& text, const std::string& part);

}  // namespace tempera::test
