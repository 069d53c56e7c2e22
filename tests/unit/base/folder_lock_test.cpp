#include "core/base/folder_lock.hpp"

#include <sys/stat.h>

#include <fstream>

#include "tests/support/full_disk.hpp"
#include "tests/unit/base/folder_lock_fixture.hpp"

namespace tempera {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

TEST_F(FolderLocks, NamesItsProcessWhileItLivesAndLeavesNothingBehind) {
  {
    const FolderLock lock(folder_.path(), kCommand, kPatient, listen());
    const auto json = lock_json();
    EXPECT_EQ(json["format"], 1);
    EXPECT_EQ(json["pid"], ::getpid());
    EXPECT_EQ(json["command"], kCommand);
    EXPECT_EQ(json["token"], lock.token());
    EXPECT_EQ("pid:[" + json["pid_namespace"].dump() + "]", fs::read_symlink("/proc/self/ns/pid"));
    EXPECT_THAT(names(), ElementsAre("lock"));
    EXPECT_FALSE(lock.lost());
  }
  EXPECT_THAT(names(), IsEmpty());
  EXPECT_THAT(said_, IsEmpty());
}

TEST_F(FolderLocks, OfALiveProcessRefusesAndSaysWhoseItIs) {
  const FolderLock lock(folder_.path(), kCommand, kPatient);
  const auto json = lock_json();
  const std::string expected = "tempera: error: " + folder_.path().string() + ": is in use by process " +
                               std::to_string(::getpid()) + " on " + json["host"].get<std::string>() +
                               " (tempera decompose, started " + json["started"].get<std::string>() +
                               ")\nhint: wait until that run has ended, or choose another folder";
  EXPECT_EQ(refusal(kPatient), expected);
  EXPECT_EQ(lock_json(), json) << "a refused newcomer leaves the lock as it is";
  EXPECT_THAT(names(), ElementsAre("lock"));
}

TEST_F(FolderLocks, OfAProcessWhoseNumberAnotherHasNowIsTakenOver) {
  write(dead_lock().dump());
  EXPECT_EQ(FolderLock::inspect(folder_.path())->state, LockState::dead);
  const FolderLock lock(folder_.path(), kCommand, kPatient, listen());
  EXPECT_EQ(lock_json()["token"], lock.token());
  ASSERT_EQ(said_.size(), 1U);
  EXPECT_THAT(said_[0], HasSubstr("that process is gone; taken over"));
}

TEST_F(FolderLocks, OfAnotherMachineOrContainerIsJudgedByItsAge) {
  for (const char* key : {"host", "boot_id", "pid_namespace"}) {
    said_.clear();
    auto json = foreign_lock();
    json["host"] = sound_lock()["host"];
    json[key] = json[key].is_string() ? nlohmann::ordered_json("other") : nlohmann::ordered_json(7);
    make_old(write(json.dump()), 3600);
    const FolderLock lock(folder_.path(), kCommand, {}, listen());
    ASSERT_EQ(said_.size(), 1U) << key;
    EXPECT_THAT(said_[0], AllOf(StartsWith("the lock of process 1234 on "),
                                HasSubstr("started 2026-01-31T12:34:56Z) is stale: no sign of life for 1 h 0"),
                                HasSubstr("; taken over")));
  }
}

TEST_F(FolderLocks, OfAnotherMachineThatShowsLifeRefuses) {
  auto json = foreign_lock();
  write(json.dump());
  const auto live = [&](const std::string& text) {
    said_.push_back(text);
    json["heartbeat"] = "00000000000000000008";
    write(json.dump());
  };
  EXPECT_EQ(refusal(kPatient, live),
            "tempera: error: " + folder_.path().string() +
                ": is in use by process 1234 on node7 (tempera decompose, started 2026-01-31T12:34:56Z)\n"
                "hint: wait until that run has ended, or choose another folder");
  ASSERT_EQ(said_.size(), 1U);
  EXPECT_THAT(said_[0], StartsWith(folder_.path().string() +
                                   ": locked by process 1234 on node7 (tempera decompose, started "
                                   "2026-01-31T12:34:56Z), which cannot be looked at from here; waiting at most 11 d"));
  EXPECT_EQ(lock_json(), json);
}

TEST_F(FolderLocks, OfAnotherMachineThatStaysSilentIsTakenOverAfterAWait) {
  write(foreign_lock().dump());
  const FolderLock lock(folder_.path(), kCommand, kImpatient, listen());
  ASSERT_EQ(said_.size(), 2U);
  EXPECT_THAT(said_[0], HasSubstr("waiting at most"));
  EXPECT_THAT(said_[1], HasSubstr("is stale: no sign of life for 50.0 ms; taken over"));
}

TEST_F(FolderLocks, OfAnotherMachineThatReleasesItMeanwhileIsFree) {
  write(foreign_lock().dump());
  const FolderLock lock(folder_.path(), kCommand, kPatient, [&](const std::string&) { fs::remove(lock_file()); });
  EXPECT_EQ(lock_json()["token"], lock.token());
}

TEST_F(FolderLocks, ARealHeartbeatIsASignOfLifeForAnotherMachine) {
  const LockSettings quick{.heartbeat_seconds = 0.01, .stale_seconds = 60, .poll_seconds = 0.001};
  const FolderLock lock(folder_.path(), kCommand, quick);
  {  // the same file now seems to come from another machine; its text keeps its length
    std::fstream file(lock_file(), std::ios::in | std::ios::out);
    file.seekp(static_cast<std::streamoff>(test::read_text(lock_file()).find("\"boot_id\": \"")) + 12);
    file << "#";
  }
  EXPECT_THAT(refusal(kPatient), HasSubstr("is in use by process " + std::to_string(::getpid())));
  EXPECT_GT(lock_json()["heartbeat"], "00000000000000000000");
}

TEST_F(FolderLocks, ThatCannotBeReadIsJudgedByItsAge) {
  auto bad_token = sound_lock();
  bad_token["token"] = "../../../../../../etc/passwd0000";
  auto bad_pid = sound_lock();
  bad_pid["pid"] = -1;
  auto steering = sound_lock();
  steering["host"] = "\x1b[2Jnode";
  for (const std::string& text :
       {std::string(), std::string("{\"format\":1,\"ho"), std::string("[]"), std::string("7"), std::string(200000, '['),
        std::string("\xff\xfe\0", 3), bad_token.dump(), bad_pid.dump(), steering.dump()}) {
    said_.clear();
    make_old(write(text), 120);
    EXPECT_EQ(FolderLock::inspect(folder_.path())->owner.pid, 0);
    const FolderLock lock(folder_.path(), kCommand, {}, listen());
    EXPECT_THAT(said_, ElementsAre("the unreadable lock of " + folder_.path().string() +
                                   " is stale: no sign of life for 2 min 00 s; taken over"));
    EXPECT_EQ(lock_json()["token"], lock.token());
  }
  write("garbage");
  EXPECT_EQ(refusal(kPatient, [&](const std::string&) { make_old(lock_file(), 5); }),
            "tempera: error: " + folder_.path().string() +
                ": is in use by a process that cannot be named (its lock is unreadable)\n"
                "hint: wait until that run has ended, or choose another folder");
}

TEST_F(FolderLocks, ThatIsALinkIntoNowhereOrAFolderDoesNotHang) {
  fs::create_symlink("/nowhere/at/all", lock_file());
  make_old(lock_file(), 120);
  { const FolderLock lock(folder_.path(), kCommand); }
  fs::create_directory(lock_file());
  make_old(lock_file(), 120);
  EXPECT_EQ(refusal({}), "tempera: error: " + lock_file().string() + ": cannot be written: Is a directory");
}

TEST_F(FolderLocks, InspectionTellsWhoAndHowWithoutTouching) {
  EXPECT_FALSE(FolderLock::inspect(folder_.path()));
  EXPECT_FALSE(FolderLock::inspect(folder_ / "absent"));
  {
    const FolderLock lock(folder_.path(), kCommand, kPatient);
    const auto info = FolderLock::inspect(folder_.path());
    ASSERT_TRUE(info);
    EXPECT_EQ(info->state, LockState::alive);
    EXPECT_EQ(info->owner.pid, ::getpid());
    EXPECT_EQ(info->owner.token, lock.token());
    EXPECT_LT(info->heartbeat_age, 60);
  }
  make_old(write(foreign_lock().dump()), 100);
  const auto info = FolderLock::inspect(folder_.path());
  ASSERT_TRUE(info);
  EXPECT_EQ(info->state, LockState::unknown);
  EXPECT_EQ(info->owner.description(), "process 1234 on node7 (tempera decompose, started 2026-01-31T12:34:56Z)");
  EXPECT_NEAR(info->heartbeat_age, 100, 30);
  EXPECT_THAT(names(), ElementsAre("lock"));
}

TEST_F(FolderLocks, NeedsAFolderThatMayBeWritten) {
  EXPECT_EQ(message_of([&] { const FolderLock lock(folder_ / "absent", kCommand); }),
            "tempera: error: " + (folder_ / "absent/lock").string() +
                ": cannot be written: No such file or directory\nhint: the folder must exist");
  const bool root = ::geteuid() == 0;
  ASSERT_EQ(::chmod(folder_.path().c_str(), 0555), 0);
  if (root) {  // root may write everywhere
    ASSERT_EQ(::seteuid(65534), 0);
  }
  const std::string message = refusal({});
  if (root) {
    ASSERT_EQ(::seteuid(0), 0);
  }
  ::chmod(folder_.path().c_str(), 0755);
  EXPECT_EQ(message, "tempera: error: " + lock_file().string() +
                         ": cannot be written: Permission denied\nhint: choose a folder that you may write to");
}

TEST_F(FolderLocks, OnAFullDiskIsRefusedWholeButLivesOnOnceItStands) {
  test::SmallDisk disk("64k");
  TEMPERA_REQUIRE_MOUNTED(disk);
  disk.fill();
  EXPECT_EQ(message_of([&] { const FolderLock lock(disk.path(), kCommand); }),
            "tempera: error: " + (disk / "lock").string() +
                ": cannot be written: No space left on device\nhint: free some space, or write to another disk");
  EXPECT_FALSE(FolderLock::inspect(disk.path()));
  disk.clear();
  FolderLock lock(disk.path(), kCommand, {.heartbeat_seconds = 0.005, .stale_seconds = 60, .poll_seconds = 0.001});
  disk.fill();
  make_old(disk / "lock", 1000);
  EXPECT_TRUE(eventually([&] { return FolderLock::inspect(disk.path())->heartbeat_age < 500; }));
  EXPECT_FALSE(lock.check());
}

TEST_F(FolderLocks, WithoutHardLinksAFreeNameIsStillGivenOnce) {
  const auto descriptor = detail::publish_in_place(lock_file(), "text", lock_file());
  ASSERT_TRUE(descriptor);
  ::close(*descriptor);
  EXPECT_EQ(test::read_text(lock_file()), "text");
  EXPECT_FALSE(detail::publish_in_place(lock_file(), "other", lock_file()));
  EXPECT_EQ(test::read_text(lock_file()), "text");
}

TEST_F(FolderLocks, RemovesTheScratchFilesOfKilledNewcomersOnceTheyAreOld) {
  make_old(write("x", ".lock-0123"), 3600);
  write("x", ".lock-4567");
  write("x", "lock.takeover-0123");
  write("x", "locksmith.txt");
  const FolderLock lock(folder_.path(), kCommand);
  EXPECT_THAT(names(), testing::UnorderedElementsAre("lock", ".lock-4567", "locksmith.txt"));
}

}  // namespace
}  // namespace tempera
