#include <gtest/gtest.h>

#include "tests/mpi/checkpoint/sample_state.hpp"
#include "tests/support/full_disk.hpp"
#include "tests/support/mpi.hpp"
#include "tests/support/shared_folder.hpp"

namespace tempera {
namespace {

namespace fs = std::filesystem;

void never(const std::string& text) {
  ADD_FAILURE() << text;
}

/// The Error of an action that must fail alike on all ranks.
template <class Action>
std::string error_of(const Communicator& world, Action&& action) {
  std::string message = "no error";
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.category(), Category::environment);
    message = error.message();
  }
  std::string first = message;
  world.broadcast_object(first, 0);
  EXPECT_EQ(message, first) << "the same on all ranks";
  return message;
}

/// A small disk that rank 0 has mounted for all; empty path where it may not.
class SharedDisk {
 public:
  SharedDisk(const Communicator& world, const char* size) : world_(world) {
    if (world.is_root()) disk_.emplace(size);
    if (disk_ && disk_->is_mounted()) path_ = disk_->path().string();
    world.broadcast_object(path_, 0);
  }
  ~SharedDisk() {
    try {
      world_.barrier();
    } catch (...) {  // another rank has failed
    }
  }
  fs::path path() const { return path_; }
  void fill() {
    if (disk_) disk_->fill();
    world_.barrier();
  }
  void clear() {
    if (disk_) disk_->clear();
    world_.barrier();
  }

 private:
  const Communicator& world_;
  std::optional<test::SmallDisk> disk_;
  std::string path_;
};

TEST(CheckpointFaults, AFullDiskKeepsTheOldGenerationAndTheNextWriteSucceedsWhenThereIsRoom) {
  test::on_all_ranks([](const Communicator& world) {
    SharedDisk disk(world, "2m");
    if (disk.path().empty()) GTEST_SKIP() << "mounting a small file system takes root";
    const fs::path folder = disk.path() / "checkpoint";
    if (world.is_root()) fs::create_directory(folder);
    world.barrier();
    CheckpointStore store(folder, {});
    test::SampleState state(world, folder);
    state.write(store, 1);
    state.write(store, 2);
    disk.fill();
    const std::vector<double> nothing;
    for (int attempt = 0; attempt < 3; ++attempt) {
      const std::string message = error_of(world, [&] {
        store.write(world, {{"iteration", 3}}, [&](CheckpointWriter& writer) {
          writer.rows("/reals", 40000, 1, std::span<const Index>(), nothing.data(), 1);
        });
      });
      EXPECT_NE(message.find(": cannot be written: "), std::string::npos) << message;
      EXPECT_TRUE(message.ends_with("\nhint: free some space, or write to another disk")) << message;
      CheckpointStore again(folder, {});
      const auto reader = again.open_newest(world, never);
      ASSERT_TRUE(reader);
      EXPECT_EQ(reader->generation(), 2);
      test::SampleState::expect(*reader, world.size(), folder);
      if (world.is_root()) {
        for (const auto& [name, bytes] : test::all_files(folder))
          EXPECT_EQ(name.find("partial"), std::string::npos) << "no leftover takes the room: " << name;
      }
      world.barrier();
    }
    disk.clear();
    state.write(store, 3);
    CheckpointStore again(folder, {});
    const auto reader = again.open_newest(world, never);
    ASSERT_TRUE(reader);
    EXPECT_EQ(reader->generation(), 3);
    test::SampleState::expect(*reader, world.size(), folder);
    world.barrier();
    EXPECT_EQ(generation_numbers(folder), (std::vector<int>{3, 2}));
  });
}

TEST(CheckpointFaults, ARemovedFolderIsMadeAnewAndOneThatCannotBeIsAnError) {
  test::on_all_ranks([](const Communicator& world) {
    const test::SharedFolder shared(world);
    const fs::path parent = shared.path() / "run", folder = parent / "checkpoint";
    const auto write = [&](CheckpointStore& store, int value) {
      store.write(world, {}, [&](CheckpointWriter& writer) { writer.object("value", value); });
    };
    if (world.is_root()) fs::create_directory(parent);
    world.barrier();
    CheckpointStore store(folder, {});
    write(store, 1);
    world.barrier();
    if (world.is_root()) fs::remove_all(folder);
    world.barrier();
    write(store, 2);
    CheckpointStore again(folder, {});
    const auto reader = again.open_newest(world, never);
    ASSERT_TRUE(reader);
    int value = 0;
    reader->object("value", value);
    EXPECT_EQ(value, 2);
    world.barrier();

    if (world.is_root()) fs::remove_all(parent);
    world.barrier();
    EXPECT_EQ(error_of(world, [&] { write(store, 3); }),
              "tempera: error: " + folder.string() +
                  ": cannot be written: No such file or directory\nhint: the folder must exist");
    world.barrier();
    if (world.is_root()) test::write_text(parent, "a file");
    world.barrier();
    EXPECT_EQ(error_of(world, [&] { write(store, 3); }),
              "tempera: error: " + folder.string() + ": cannot be written: Not a directory");
  });
}

TEST(CheckpointFaults, ARankThatFailsWhileItNamesItsPartsLeavesTheOldGeneration) {
  test::on_all_ranks([](const Communicator& world) {
    const test::SharedFolder shared(world);
    CheckpointStore store(shared.path(), {});
    test::SampleState state(world, shared.path());
    state.write(store, 1);
    for (int culprit = 0; culprit < world.size(); ++culprit) {
      const std::string message = error_of(world, [&] {
        store.write(world, {}, [&](CheckpointWriter& writer) {
          writer.object("a", 1);
          if (world.rank() == culprit) throw Error(Category::environment, "rank", "no more memory");
        });
      });
      EXPECT_NE(message.find("no more memory"), std::string::npos) << message;
    }
    state.write(store, 2);
    const auto reader = store.open_newest(world, never);
    ASSERT_TRUE(reader);
    EXPECT_EQ(reader->generation(), 2);
    test::SampleState::expect(*reader, world.size(), shared.path());
  });
}

}  // namespace
}  // namespace tempera
