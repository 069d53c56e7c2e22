#include "drivers/run/run_folder.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/error.hpp"
#include "drivers/run/manifest.hpp"
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
  static RunPlace place(const fs::path& path, bool overwrite = false) { return {path, "decompose", overwrite, {}}; }
  static void ignore(const std::string&) {}
  nlohmann::ordered_json manifest_{{"command", "decompose"}, {"options", {{"values", {{"rank", 3}}}}}};
};

TEST_F(RunFolders, OneOfTwoRunsThatFoundTheSameFolderFreeGetsIt) {
  for (const bool exists : {false, true}) {
    const fs::path path = folder_ / (exists ? "old" : "new");
    if (exists) fs::create_directory(path);
    auto first = std::make_unique<RunFolder>(place(path), ignore);
    RunFolder second(place(path), ignore), third(place(path), ignore);
    first->begin({{"run", 1}});
    const std::string in_use = message_of([&] { second.begin({{"run", 2}}); });
    EXPECT_TRUE(in_use.starts_with("tempera: error: " + path.string() + ": is in use by process ")) << in_use;
    EXPECT_EQ(message_of([&] { RunFolder(place(path, true), ignore); }).substr(0, in_use.find('(')),
              in_use.substr(0, in_use.find('(')))
        << "--overwrite does not replace a run that is alive";
    first.reset();
    EXPECT_EQ(message_of([&] {
                third.begin({{"run", 3}});
              }),
              "tempera: error: " + path.string() +
                  ": another run has begun in the output folder meanwhile\nhint: choose another --output");
    EXPECT_EQ(nlohmann::json::parse(test::read_text(path / "manifest.json"))["run"], 1);
    RunFolder fourth(place(path, true), ignore);
    fourth.begin({{"run", 4}});
    EXPECT_EQ(nlohmann::json::parse(test::read_text(path / "manifest.json"))["run"], 4);
  }
}

TEST_F(RunFolders, RecoversFromItsFolderBeingRemoved) {
  std::vector<std::string> said;
  RunFolder run(place(folder_ / "run"), [&](const std::string& text) { said.push_back(text); });
  run.begin(manifest_);
  int reopened = 0;
  const auto recover = [&] { run.recover([&] { ++reopened; }); };
  recover();
  EXPECT_EQ(reopened, 0);
  fs::remove_all(folder_ / "run");
  recover();
  EXPECT_EQ(reopened, 1) << "at once, not at the next heartbeat";
  EXPECT_EQ(said, (std::vector<std::string>{(folder_ / "run").string() +
                                            ": the folder was removed while the run went on; it is made again"}));
  EXPECT_EQ(read_manifest(folder_ / "run").at("command"), "decompose");
  recover();
  EXPECT_EQ(reopened, 1);
}

TEST_F(RunFolders, RecoversFromARemovalThatIsNotOver) {
  RunFolder run(place(folder_ / "run"), ignore);
  run.begin(manifest_);
  fs::remove_all(folder_ / "run");
  int removals = 0;
  run.recover([&] {
    if (++removals > 3) return;
    fs::remove_all(folder_ / "run");
    throw Error(Category::environment, "", "the log cannot be opened", "");
  });
  EXPECT_EQ(removals, 4);
  EXPECT_EQ(read_manifest(folder_ / "run").at("command"), "decompose");
}

TEST_F(RunFolders, RefusesCheckpointsOfAnotherRun) {
  fs::create_directories(folder_ / "checkpoints/generation-000003");
  EXPECT_EQ(
      message_of([&] {
        RunFolder({folder_ / "run", "decompose", false, folder_ / "checkpoints"}, ignore);
      }),
      "tempera: error: " + (folder_ / "checkpoints").string() +
          ": holds the checkpoints of another run\nhint: choose another --checkpoint-dir, or --overwrite to replace "
          "them");
  RunFolder run({folder_ / "run", "decompose", true, folder_ / "checkpoints"}, ignore);
  run.begin(manifest_);
  EXPECT_FALSE(fs::exists(folder_ / "checkpoints/generation-000003"));
  EXPECT_TRUE(message_of([&] {
                RunFolder other({folder_ / "other", "decompose", false, folder_ / "checkpoints"}, ignore);
                other.begin(manifest_);
              }).starts_with("tempera: error: " + (folder_ / "checkpoints").string() + ": is in use by process "));
}

TEST_F(RunFolders, EachOfTwoRunsWithoutAFolderGetsItsOwn) {
  const fs::path before = fs::current_path();
  fs::current_path(folder_.path());
  RunFolder first(place({}), ignore);
  RunFolder second(place({}), ignore);
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
  EXPECT_EQ(message_of([&] { RunFolder(place(folder_ / name), ignore); }),
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
  const std::string message = message_of([&] { RunFolder(place(closed / "x/y"), ignore); });
  if (root) {
    ASSERT_EQ(::seteuid(0), 0);
  }
  ::chmod(closed.c_str(), 0755);
  EXPECT_EQ(message, "tempera: error: " + (closed / "x/y").string() +
                         ": the output cannot be reached: Permission denied\nhint: choose another --output");
}

TEST_F(RunFolders, RefusesResultsThatFindNoRoomBeforeItIsCreated) {
  RunFolder run(place(folder_ / "run"), ignore);
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
  RunFolder run(place(disk / "run"), ignore);
  disk.fill();
  EXPECT_EQ(message_of([&] { run.begin(manifest_); }),
            "tempera: error: " + (disk / "run/lock").string() +
                ": cannot be written: No space left on device\nhint: free some space, or write to another disk");
  EXPECT_FALSE(fs::exists(disk / "run"));
}

}  // namespace
}  // namespace tempera::drivers
