#include "distributed/bayesopt/command_trial_processes.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <set>
#include <sstream>
#include <string_view>

extern char** environ;

namespace tempera {

namespace {

/// What mpirun (Open MPI, PRRTE, Hydra) tells its processes about the job. Settings of people (OMPI_MCA_btl …) stay.
constexpr std::array<std::string_view, 19> kLaunchPrefixes = {"OMPI_COMM_WORLD_",
                                                              "OMPI_UNIVERSE_SIZE=",
                                                              "OMPI_COMMAND=",
                                                              "OMPI_ARGV=",
                                                              "OMPI_NUM_APP_CTX=",
                                                              "OMPI_FIRST_RANKS=",
                                                              "OMPI_APP_CTX_",
                                                              "OMPI_FILE_LOCATION=",
                                                              "OMPI_MCA_orte_",
                                                              "OMPI_MCA_ess",
                                                              "OMPI_MCA_pmix",
                                                              "OMPI_MCA_initial_wdir=",
                                                              "PMIX_",
                                                              "PMI_",
                                                              "PRTE_",
                                                              "HYDI_CONTROL_FD=",
                                                              "HYDRA_",
                                                              "MPI_LOCALRANKID=",
                                                              "MPI_LOCALNRANKS="};

class SpawnActions {
 public:
  SpawnActions() { posix_spawn_file_actions_init(&actions); }
  ~SpawnActions() { posix_spawn_file_actions_destroy(&actions); }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;
  posix_spawn_file_actions_t actions;
};

class SpawnAttributes {
 public:
  SpawnAttributes() {
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&attributes, 0);
    sigset_t signals;
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes, &signals);
    sigfillset(&signals);
    posix_spawnattr_setsigdefault(&attributes, &signals);
  }
  ~SpawnAttributes() { posix_spawnattr_destroy(&attributes); }
  SpawnAttributes(const SpawnAttributes&) = delete;
  SpawnAttributes& operator=(const SpawnAttributes&) = delete;
  posix_spawnattr_t attributes;
};

std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));  // as exec wants them
  pointers.push_back(nullptr);
  return pointers;
}

/// The number of the process that was begun last on this machine, or 0.
pid_t newest_process() {
  std::ifstream load("/proc/loadavg");
  std::string word;
  pid_t newest = 0;
  for (int i = 0; i < 4; ++i) load >> word;
  return load >> newest ? newest : 0;
}

enum class Belongs { no, yes, unknown };

/// Whether it could have an environment: no zombie, no thread of the kernel.
bool is_alive(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::string text;
  std::getline(file, text);
  char state = 'X';
  pid_t parent = 0;
  const std::size_t name = text.rfind(')');  // it may hold anything
  if (name == std::string::npos) return false;
  std::istringstream(text.substr(name + 1)) >> state >> parent;
  constexpr pid_t kKernel = 2;
  return state != 'Z' && state != 'X' && parent != kKernel;
}

/// A process that is about to become another program shows no environment for a moment.
Belongs belongs_to(pid_t process, std::string_view folder) {
  std::ifstream file("/proc/" + std::to_string(process) + "/environ", std::ios::binary);
  if (!file) return Belongs::no;  // ended, or somebody else's
  const std::string variable = std::string(kTrialFolderVariable) + "=";
  std::string entry;
  bool any = false;
  while (std::getline(file, entry, '\0')) {
    any = true;
    if (!entry.starts_with(variable)) continue;
    const std::string_view named = std::string_view(entry).substr(variable.size());
    const bool inside = named.starts_with(folder) && (named.size() == folder.size() || named[folder.size()] == '/');
    return inside ? Belongs::yes : Belongs::no;
  }
  return any || !is_alive(process) ? Belongs::no : Belongs::unknown;
}

std::vector<pid_t> processes() {
  std::vector<pid_t> found;
  std::error_code problem;
  for (std::filesystem::directory_iterator entry("/proc", problem), end; !problem && entry != end;
       entry.increment(problem)) {
    const std::string name = entry->path().filename().string();
    pid_t process = 0;
    const auto [rest, status] = std::from_chars(name.data(), name.data() + name.size(), process);
    if (status == std::errc() && rest == name.data() + name.size()) found.push_back(process);
  }
  return found;
}

}  // namespace

std::vector<std::string> child_environment(std::span<const std::pair<std::string, std::string>> changes) {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view entry(*variable);
    const bool of_launch = std::any_of(kLaunchPrefixes.begin(), kLaunchPrefixes.end(),
                                       [&](auto prefix) { return entry.starts_with(prefix); });
    const bool changed = std::any_of(changes.begin(), changes.end(), [&](const auto& change) {
      return entry.starts_with(change.first) && entry.substr(change.first.size()).starts_with('=');
    });
    if (!of_launch && !changed) variables.emplace_back(entry);
  }
  for (const auto& [name, value] : changes) variables.push_back(name + "=" + value);
  return variables;
}

pid_t start_group(const std::vector<std::string>& arguments, const std::vector<std::string>& environment,
                  const std::filesystem::path& directory, const ChildStreams& streams, int& problem) {
  SpawnActions files;
  posix_spawn_file_actions_addopen(&files.actions, 0, streams.input.c_str(), O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&files.actions, streams.output, 1);
  posix_spawn_file_actions_adddup2(&files.actions, streams.error, 2);
  if (!directory.empty()) posix_spawn_file_actions_addchdir_np(&files.actions, directory.c_str());
  // What others left open (a journal, sockets of MPI) must not be held by a child that lingers.
  posix_spawn_file_actions_addclosefrom_np(&files.actions, 3);
  const SpawnAttributes attributes;
  std::vector<char*> words = pointers_to(arguments);
  std::vector<char*> variables = pointers_to(environment);
  pid_t process = 0;
  problem = ::posix_spawnp(&process, words[0], &files.actions, &attributes.attributes, words.data(), variables.data());
  return problem == 0 ? process : 0;
}

Index kill_strays(const std::filesystem::path& folder, pid_t since) {
  const std::string name = std::filesystem::absolute(folder).lexically_normal().string();
  const bool wrapped = newest_process() < since;  // numbers began anew: the younger ones may be smaller
  constexpr int kRounds = 50;  // of a tree that goes on forking while it is being killed, of programs that begin
  constexpr timespec kPause{0, 1'000'000};
  std::set<pid_t> killed;
  for (int round = 0; round < kRounds; ++round) {
    const std::size_t before = killed.size();
    bool unknown = false;
    for (const pid_t process : processes()) {
      if (process == ::getpid() || (!wrapped && process <= since) || killed.contains(process)) continue;
      const Belongs belongs = belongs_to(process, name);
      unknown |= belongs == Belongs::unknown;
      if (belongs == Belongs::yes && ::kill(process, SIGKILL) == 0) killed.insert(process);
    }
    if (killed.size() > before) continue;
    if (!unknown) break;
    ::nanosleep(&kPause, nullptr);
  }
  return std::ssize(killed);
}

}  // namespace tempera
