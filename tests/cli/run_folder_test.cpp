#include "drivers/commands/run_folder.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/error.hpp"
#include "tests/support/data.hpp"
#include "tests/support/full_disk.hpp"

namespace tempera::drivers {
namespace {

namespace fs = std::filesystem;

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(exit_status(error.category()), 5);
    return error.message();
  }
  return "";
}

class RunFolders : public testing::Test {
 protected:
  test::TemporaryFolder folder_;
  nlohmann::ordered_json manifest_{{"command", "decompose"}};
};

TEST_F(RunFolders, OneOfTwoRunsThatFoundTheSameFolderFreeGetsIt) {
  for (const bool exists : {false, true}) {
    const fs::path path = folder_ / (exists ? "old" : "new");
    if (exists) fs::create_directory(path);
    RunFolder first(path, "decompose", false);
    RunFolder second(path, "decompose", false);
    first.begin({{"run", 1}});
    EXPECT_EQ(message_of([&] {
                second.begin({{"run", 2}});
              }),
              "tempera: error: " + path.string() +
                  ": another run has begun in the output folder meanwhile\nhint: choose another --output");
    EXPECT_EQ(nlohmann::json::parse(test::read_text(path / "manifest.json"))["run"], 1);
    RunFolder third(path, "decompose", true);
    third.begin({{"run", 3}});
    EXPECT_EQ(nlohmann::json::parse(test::read_text(path / "manifest.json"))["run"], 3);
  }
}

TEST_F(RunFolders, EachOfTwoRunsWithoutAFolderGetsItsOwn) {
  const fs::path before = fs::current_path();
  fs::current_path(folder_.path());
  RunFolder first({}, "decompose", false);
  RunFolder second({}, "decompose", false);
  EXPECT_FALSE(fs::exists("runs")) << "checking creates nothing";
  first.begin(manifest_);
  second.begin(manifest_);
  EXPECT_TRUE(first.path().string().ends_with("-1"));
  EXPECT_TRUE(second.path().string().ends_with("-2"));
  EXPECT_TRUE(fs::exists(second / "manifest.json"));
  fs::current_path(before);
}

TEST_F(RunFolders, RefusesNamesThatTheSystemDoesNotTake) {
  const std::string name(300, 'x');
  EXPECT_EQ(message_of([&] { RunFolder(folder_ / name, "decompose", false); }),
            "tempera: error: " + (folder_ / name).string() +
                ": the output cannot be reached: File name too long\nhint: choose another --output");
}

TEST_F(RunFolders, RefusesFoldersThatMayNotBeSearched) {
  const fs::path closed = folder_ / "closed";
  fs::create_directory(closed);
  ASSERT_EQ(::chmod(folder_.path().c_str(), 0755), 0);
  ASSERT_EQ(::chmod(closed.c_str(), 0), 0);
  const bool root = ::geteuid() == 0;
  if (root) {  // root may search everything
    ASSERT_EQ(::seteuid(65534), 0);
  }
  const std::string message = message_of([&] { RunFolder(closed / "x/y", "decompose", false); });
  if (root) {
    ASSERT_EQ(::seteuid(0), 0);
  }
  ::chmod(closed.c_str(), 0755);
  EXPECT_EQ(message, "tempera: error: " + (closed / "x/y").string() +
                         ": the output cannot be reached: Permission denied\nhint: choose another --output");
}

TEST_F(RunFolders, RefusesResultsThatFindNoRoomBeforeItIsCreated) {
  RunFolder run(folder_ / "run", "decompose", false);
  EXPECT_NO_THROW(run.check_space(1));
  const std::string message = message_of([&] { run.check_space(1e30); });
  EXPECT_TRUE(message.starts_with("tempera: error: " + (folder_ / "run/factors.h5").string() +
                                  ": cannot be written: about 8.67e+11 EiB are needed, "))
      << message;
  EXPECT_FALSE(fs::exists(folder_ / "run"));
}

TEST_F(RunFolders, AFullDiskLeavesNoFolder) {
  test::SmallDisk disk("64k");
  TEMPERA_REQUIRE_MOUNTED(disk);
  RunFolder run(disk / "run", "decompose", false);
  disk.fill();
  EXPECT_EQ(message_of([&] { run.begin(manifest_); }),
            "tempera: error: " + (disk / "run/manifest.json").string() +
                ": cannot be written: No space left on device\nhint: free some space, or write to another disk");
  EXPECT_FALSE(fs::exists(disk / "run"));
}

}  // namespace
}  // namespace tempera::drivers
