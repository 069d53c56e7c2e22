// Several processes and one folder: owners that die, newcomers that race, locks that are lost.
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <fstream>
#include <random>

#include "tests/unit/base/folder_lock_fixture.hpp"

namespace tempera {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

enum class Rest { all_threads, all_but_the_main_thread };

/// A process that runs `body` and then lives until it is killed, with all its threads or without the main one.
class Child {
 public:
  explicit Child(const std::function<void()>& body, Rest rest = Rest::all_threads) {
    std::array<int, 2> ready{};
    if (::pipe(ready.data()) != 0) throw std::runtime_error("no pipe");
    pid_ = ::fork();
    if (pid_ == 0) {
      ::alarm(kChildSeconds);
      body();
      static_cast<void>(!::write(ready[1], "x", 1));
      if (rest == Rest::all_but_the_main_thread) ::syscall(SYS_exit, 0);
      for (;;) ::pause();
    }
    ::close(ready[1]);
    char byte = 0;
    ready_ = ::read(ready[0], &byte, 1) == 1;
    ::close(ready[0]);
  }
  ~Child() {
    kill();
    wait();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  bool ready() const { return ready_; }
  pid_t pid() const { return pid_; }
  void kill() const { ::kill(pid_, SIGKILL); }
  void wait() {
    if (!waited_) ::waitpid(pid_, nullptr, 0);
    waited_ = true;
  }
  /// Dead, but its parent has not asked for its status.
  void become_zombie() const {
    kill();
    siginfo_t info{};
    ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT);
  }

 private:
  pid_t pid_ = -1;
  bool ready_ = false;
  bool waited_ = false;
};

/// State of a process as the system tells it: that of its main thread.
char state_of_main_thread(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(file, line);
  return line.substr(line.rfind(')')).at(2);
}

// So a killed process looks, too, until its last thread has noticed: its files are open and locked up to then.
TEST_F(FolderLocks, OfAProcessWhoseMainThreadHasEndedIsHeldUntilTheOthersHave) {
  Child owner([&] { new FolderLock(folder_.path(), kCommand, kPatient); }, Rest::all_but_the_main_thread);
  ASSERT_TRUE(owner.ready());
  ASSERT_TRUE(eventually([&] { return state_of_main_thread(owner.pid()) == 'Z'; }));
  EXPECT_THAT(refusal(kPatient), HasSubstr("is in use by process " + std::to_string(owner.pid()) + " on "));
  owner.become_zombie();
  const FolderLock lock(folder_.path(), kCommand, kPatient, listen());
  EXPECT_EQ(lock_json()["pid"], ::getpid());
}

TEST_F(FolderLocks, OfAnotherLiveProcessRefusesAndOfTheKilledOneIsTakenOverAtOnce) {
  for (const bool reaped : {true, false}) {
    said_.clear();
    Child owner([&] { new FolderLock(folder_.path(), kCommand, kPatient); });
    ASSERT_TRUE(owner.ready());
    EXPECT_THAT(refusal(kPatient), HasSubstr("is in use by process " + std::to_string(owner.pid()) + " on "));
    const auto before = lock_json();
    owner.become_zombie();
    if (reaped) owner.wait();
    const FolderLock lock(folder_.path(), kCommand, kPatient, listen());
    EXPECT_EQ(lock_json()["pid"], ::getpid());
    EXPECT_THAT(said_,
                ElementsAre("the lock of process " + std::to_string(owner.pid()) + " on " +
                            before["host"].get<std::string>() + " (tempera decompose, started " +
                            before["started"].get<std::string>() + ") is stale: that process is gone; taken over"));
    EXPECT_THAT(names(), ElementsAre("lock"));
  }
}

/// Eight processes go for the folder at once; those that get it hold it until all have had their answer.
int winners_of_a_race(const fs::path& folder) {
  constexpr int kRacers = 8;
  std::array<int, 2> begin{};
  std::array<int, 2> answers{};
  std::array<int, 2> end{};
  for (auto* ends : {&begin, &answers, &end}) EXPECT_EQ(::pipe(ends->data()), 0);
  std::vector<pid_t> racers;
  for (int i = 0; i < kRacers; ++i) {
    const pid_t pid = ::fork();
    if (pid != 0) {
      racers.push_back(pid);
      continue;
    }
    ::alarm(kChildSeconds);
    ::close(begin[1]);
    ::close(end[1]);
    char byte = 0;
    static_cast<void>(!::read(begin[0], &byte, 1));
    char answer = 'w';
    try {
      new FolderLock(folder, "racer");
    } catch (const Error& error) {
      answer = error.what_is_wrong().starts_with("is in use by process") ? 'r' : 'e';
    }
    static_cast<void>(!::write(answers[1], &answer, 1));
    static_cast<void>(!::read(end[0], &byte, 1));
    ::_exit(0);
  }
  for (const int descriptor : {begin[0], begin[1], answers[1], end[0]}) ::close(descriptor);
  int winners = 0;
  for (int i = 0; i < kRacers; ++i) {
    char answer = 0;
    EXPECT_EQ(::read(answers[0], &answer, 1), 1);
    EXPECT_THAT(answer, testing::AnyOf('w', 'r'));
    winners += answer == 'w' ? 1 : 0;
  }
  ::close(answers[0]);
  ::close(end[1]);
  for (const pid_t pid : racers) ::waitpid(pid, nullptr, 0);
  return winners;
}

TEST_F(FolderLocks, OfEightNewcomersOneTakesAFreeOrStaleFolder) {
  for (int round = 0; round < 50; ++round) {
    if (round % 5 == 0) fs::remove(lock_file());
    if (round % 5 == 2) write(dead_lock().dump());
    if (round % 5 == 3) make_old(write(foreign_lock().dump()), 3600);
    if (round % 5 == 4) make_old(write("garbage"), 3600);
    EXPECT_EQ(winners_of_a_race(folder_.path()), 1) << "round " << round;  // 1: left by the winner of the round before
    EXPECT_THAT(names(), ElementsAre("lock"));
  }
}

TEST_F(FolderLocks, OfEightNewcomersOneSucceedsTakersThatWereKilled) {
  for (int round = 0; round < 50; ++round) {
    const auto lock = dead_lock();
    auto claim = lock;
    write(lock.dump());
    for (int killed = 0; killed <= round % 3; ++killed) {
      const std::string name = "lock.takeover-" + claim["token"].get<std::string>();
      claim = dead_lock();
      write(claim.dump(), name);
    }
    EXPECT_EQ(winners_of_a_race(folder_.path()), 1) << "round " << round;
    EXPECT_THAT(names(), ElementsAre("lock"));
  }
}

/// Takes and gives back the folder without end, and tells for each time whether it was alone in it: '1', or '2'.
[[noreturn]] void take_again_and_again(const fs::path& folder, const fs::path& witness, int answers) {
  ::alarm(kChildSeconds);
  const int file = ::open(witness.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  for (;;) {
    char answer = 0;
    try {
      const FolderLock lock(folder, "racer");
      answer = ::flock(file, LOCK_EX | LOCK_NB) == 0 ? '1' : '2';  // the kernel's own lock; it ends with the process
      static_cast<void>(!::write(answers, &answer, 1));
      ::flock(file, LOCK_UN);
    } catch (const Error& error) {
      if (error.what_is_wrong().starts_with("is in use by process")) continue;
      static_cast<void>(!::write(answers, "e", 1));
    }
  }
}

TEST_F(FolderLocks, NewcomersThatAreKilledAtAnyMomentNeverMakeTwoOwners) {
  constexpr int kRacers = 4;
  constexpr int kKills = 300;
  std::array<int, 2> answers{};
  ASSERT_EQ(::pipe(answers.data()), 0);
  const auto start = [&] {
    const pid_t pid = ::fork();
    if (pid == 0) take_again_and_again(folder_.path(), folder_ / "witness", answers[1]);
    return pid;
  };
  std::vector<pid_t> racers(kRacers);
  for (pid_t& racer : racers) racer = start();
  std::mt19937 random(11);
  std::string seen;
  const auto read_some = [&] {
    pollfd wanted{answers[0], POLLIN, 0};
    char answer = 's';  // all are stuck
    if (::poll(&wanted, 1, kChildSeconds * 1000) == 1) static_cast<void>(!::read(answers[0], &answer, 1));
    seen += answer;
  };
  for (int kill = 0; kill < kKills; ++kill) {
    for (unsigned wait = random() % 4; wait > 0; --wait) read_some();
    pid_t& victim = racers[random() % kRacers];
    ::kill(victim, SIGKILL);
    ::waitpid(victim, nullptr, 0);
    victim = start();
  }
  const auto before = seen.size();
  while (seen.size() < before + 20) read_some();  // nothing that the killed ones left stands in the way
  for (const pid_t racer : racers) {
    ::kill(racer, SIGKILL);
    ::waitpid(racer, nullptr, 0);
  }
  for (const int descriptor : answers) ::close(descriptor);
  EXPECT_EQ(seen, std::string(seen.size(), '1')) << "seed 11";
}

TEST_F(FolderLocks, IsNoticedAsLostAndCanBeTakenAgain) {
  FolderLock lock(folder_.path(), kCommand, kPatient);
  EXPECT_FALSE(lock.check());
  fs::remove_all(folder_.path());
  EXPECT_FALSE(lock.lost()) << "nobody has looked";
  EXPECT_TRUE(lock.check());
  EXPECT_TRUE(lock.lost());
  EXPECT_THAT(message_of([&] { lock.restore(); }), HasSubstr("the folder must exist"));
  EXPECT_TRUE(lock.lost());
  fs::create_directory(folder_.path());
  lock.restore();
  EXPECT_FALSE(lock.check());
  EXPECT_EQ(lock_json()["token"], lock.token());
  const std::string token = lock.token();
  lock.restore();
  EXPECT_EQ(lock.token(), token) << "nothing was lost";
}

TEST_F(FolderLocks, TheHeartbeatNoticesTheLossAndBringsNothingBack) {
  const LockSettings quick{.heartbeat_seconds = 0.005, .stale_seconds = 60, .poll_seconds = 0.001};
  for (const bool whole_folder : {true, false}) {
    const FolderLock lock(folder_.path(), kCommand, quick);
    ASSERT_TRUE(eventually([&] { return lock_json()["heartbeat"] > "00000000000000000002"; }));
    if (whole_folder) {
      fs::remove_all(folder_.path());
    } else {
      fs::remove(lock_file());
    }
    EXPECT_TRUE(eventually([&] { return lock.lost(); }));
    EXPECT_EQ(fs::exists(folder_.path()), !whole_folder);
    EXPECT_FALSE(fs::exists(lock_file()));
    fs::create_directory(folder_.path());
  }
}

TEST_F(FolderLocks, OfAnotherThatStandsInItsPlaceIsLeftAlone) {
  const std::string other = foreign_lock().dump();
  {
    FolderLock lock(folder_.path(), kCommand, kPatient);
    fs::remove(lock_file());
    write(other);
    EXPECT_TRUE(lock.check());
    EXPECT_THAT(message_of([&] {
                  FolderLock local(folder_ / ".", kCommand, kImpatient, [&](const std::string&) {
                    auto json = foreign_lock();
                    json["token"] = nlohmann::json::parse(other)["token"];
                    json["heartbeat"] = "00000000000000000001";
                    write(json.dump());
                  });
                }),
                HasSubstr("is in use by process 1234 on node7"));
  }
  EXPECT_EQ(lock_json()["host"], "node7");
}

TEST_F(FolderLocks, StaysWhenAForkedCopyIsDestroyed) {
  auto lock = std::make_unique<FolderLock>(folder_.path(), kCommand, kPatient);
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(kChildSeconds);
    lock.reset();
    ::_exit(7);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 7);
  EXPECT_FALSE(lock->check());
}

}  // namespace
}  // namespace tempera
