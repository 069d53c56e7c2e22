#include "core/base/atomic_file.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>

#include "core/base/error.hpp"
#include "tests/support/data.hpp"
#include "tests/support/full_disk.hpp"

namespace tempera {
namespace {

int entries(const std::filesystem::path& folder) {
  return static_cast<int>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

template <class Body>
std::string refusal(Body body) {
  try {
    body();
  } catch (const Error& error) {
    return exit_status(error.category()) == 5 ? error.message() : "not an environment error";
  }
  return "";
}

TEST(AtomicFile, AppearsWholeOnCommitAndReplacesWhatWasThere) {
  const test::TemporaryFolder folder;
  const auto path = test::write_text(folder / "result.json", "old");
  {
    AtomicFile file(path);
    file.write("new ");
    file.write("text");
    EXPECT_EQ(test::read_text(path), "old");
    EXPECT_EQ(file.temporary().parent_path(), folder.path());
    file.commit();
  }
  EXPECT_EQ(test::read_text(path), "new text");
  EXPECT_EQ(entries(folder.path()), 1);
}

TEST(AtomicFile, WithoutCommitLeavesNothingBehind) {
  const test::TemporaryFolder folder;
  { AtomicFile(folder / "result.json").write("half"); }
  EXPECT_EQ(entries(folder.path()), 0);
}

TEST(AtomicFile, TwoWritersOfOneNameDoNotMixTheirBytes) {
  const test::TemporaryFolder folder;
  AtomicFile first(folder / "a");
  AtomicFile second(folder / "a");
  first.write("1");
  second.write("2");
  first.commit();
  second.commit();
  EXPECT_EQ(test::read_text(folder / "a"), "2");
  EXPECT_EQ(entries(folder.path()), 1);
}

TEST(AtomicFile, AFolderThatIsMissingOrInTheWayIsNamed) {
  EXPECT_EQ(refusal([] { write_file_atomically("/nowhere/x.json", ""); }),
            "tempera: error: /nowhere/x.json: cannot be written: No such file or directory\n"
            "hint: the folder must exist");
  const test::TemporaryFolder folder;
  std::filesystem::create_directory(folder / "x.json");
  test::write_text(folder / "x.json" / "inside", "");
  EXPECT_EQ(refusal([&] { write_file_atomically(folder / "x.json", "text"); }),
            "tempera: error: " + (folder / "x.json").string() + ": cannot be written: Is a directory");
  EXPECT_EQ(entries(folder.path()), 1);
}

TEST(AtomicFile, AWriteThatFailsHalfwayNamesTheFileAndRemovesTheTemporary) {
  const test::TemporaryFolder folder;
  const auto path = folder / "large.bin";
  const auto previous = std::signal(SIGXFSZ, SIG_IGN);
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &limit), 0);
  rlimit small = limit;
  small.rlim_cur = 10000;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const std::string message = refusal([&] { write_file_atomically(path, std::string(100000, 'x')); });
  setrlimit(RLIMIT_FSIZE, &limit);
  std::signal(SIGXFSZ, previous);
  EXPECT_EQ(message, "tempera: error: " + path.string() + ": cannot be written: File too large");
  EXPECT_EQ(entries(folder.path()), 0);
}

TEST(AtomicFile, AFullDiskNamesTheFileAndRemovesTheTemporary) {
  const test::SmallDisk disk("64k");
  TEMPERA_REQUIRE_MOUNTED(disk);
  const std::string message = refusal([&] { write_file_atomically(disk / "a", std::string(1 << 20, 'x')); });
  EXPECT_EQ(message,
            "tempera: error: " + (disk / "a").string() +
                ": cannot be written: No space left on device\nhint: free some space, or write to another disk");
  EXPECT_EQ(entries(disk.path()), 0);
}

}  // namespace
}  // namespace tempera
