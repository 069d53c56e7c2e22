#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/process.hpp"

namespace tempera::test {

/// A fault to come in the files of a process or of one MPI rank; see tests/faults/README.md.
struct Fault {
  std::string path = {};           ///< part of the paths whose calls are counted
  int call = 0;                    ///< number of the call that is hit, from 1; 0: none, calls are only counted
  std::string action = "kill";     ///< kill, kill-after, torn, ENOSPC, EIO …
  int more = 0;                    ///< calls after it that fail too
  std::optional<int> rank = {};    ///< MPI rank that is watched; each if absent
  std::filesystem::path log = {};  ///< gets a line a counted call, if not empty
};

/// The settings of a program that shall meet this fault.
ProcessSettings with_fault(const Fault& fault, ProcessSettings settings = {});

/// A line of the log of counted calls.
struct FileCall {
  int rank = 0;
  int number = 0;
  std::string call;
  std::string path;
  std::string second;  ///< destination of a rename or link
};
std::vector<FileCall> read_fault_log(const std::filesystem::path& log);

}  // namespace tempera::test
