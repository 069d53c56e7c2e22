#include <gtest/gtest.h>

#include <algorithm>

#include "tests/mpi/checkpoint/sample_state.hpp"
#include "tests/support/mpi.hpp"
#include "tests/support/shared_folder.hpp"

namespace tempera {
namespace {

namespace fs = std::filesystem;
using Files = std::map<std::string, std::string>;

constexpr int kTrials = 1000;
constexpr int kOlder = 2, kNewest = 3;  // the generations that are there

bool is_of(const std::string& file, int generation) {
  return file.starts_with(generation_name(generation));
}

/// Files as after some accident to `name`; what it was, in words.
std::string damage_one(Files& files, const std::string& name, RandomStream& random) {
  std::string& bytes = files.at(name);
  const auto place = [&] {
    return static_cast<std::size_t>(random.uniform_index(std::max<Index>(1, std::ssize(bytes))));
  };
  switch (random.uniform_index(8)) {
    case 0:
    case 1: {
      const std::size_t at = place(), bit = static_cast<std::size_t>(random.uniform_index(8));
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << bit));
      return "bit " + std::to_string(bit) + " of byte " + std::to_string(at) + " of " + name;
    }
    case 2: {
      const std::size_t at = place();
      bytes[at] = static_cast<char>(random.uniform_index(256));
      return "byte " + std::to_string(at) + " of " + name;
    }
    case 3: bytes.resize(random.uniform_index(4) == 0 ? 0 : place()); return "cut of " + name;
    case 4:
      for (Index k = random.uniform_index(40) + 1; k > 0; --k)
        bytes.push_back(static_cast<char>(random.uniform_index(256)));
      return "more of " + name;
    case 5: {
      const std::size_t from = place();
      std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(from), std::min<std::size_t>(512, bytes.size() - from),
                  '\0');
      return "zeros from " + std::to_string(from) + " of " + name;
    }
    case 6: files.erase(name); return "no " + name;
    default: {
      auto other = files.begin();
      std::advance(other, random.uniform_index(std::ssize(files)));
      std::swap(bytes, other->second);
      return name + " and " + other->first + " swapped";
    }
  }
}

/// The part of an index that the parser looks at: a NUL ends the text, blanks mean nothing.
std::string words(const std::string& text) {
  std::string result = text.substr(0, text.find('\0'));
  std::erase_if(result, [](char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; });
  return result;
}

/// Whether what generation `generation` needs is as it was; unknown for an index that differs in such trifles.
std::optional<bool> is_whole(const Files& before, const Files& now, int generation) {
  std::optional<bool> whole = true;
  for (const auto& [name, bytes] : before) {
    const bool segment = name.ends_with(".segment");
    if (!segment && !is_of(name, generation)) continue;
    const auto found = now.find(name);
    if (found == now.end()) return false;
    const auto length = static_cast<std::size_t>(test::SampleState::kSegmentStep * generation);
    const bool same = segment ? found->second.substr(0, length) == bytes.substr(0, length) : found->second == bytes;
    if (same) continue;
    if (!name.ends_with("index.json")) return false;
    if (words(found->second) != words(bytes)) return false;
    whole.reset();
  }
  return whole;
}

/// Makes the folder hold `files`, touching only what differs from `current`.
void put(const fs::path& folder, const Files& current, const Files& files) {
  for (const auto& [name, bytes] : current)
    if (!files.contains(name)) fs::remove(folder / name);
  for (const auto& [name, bytes] : files) {
    const auto found = current.find(name);
    if (found != current.end() && found->second == bytes) continue;
    fs::create_directories((folder / name).parent_path());
    test::write_text(folder / name, bytes);
  }
}

/// What open_newest may answer: generations, 0 for the Error that none is whole.
std::vector<int> allowed(const Files& before, const Files& now) {
  std::vector<int> answers;
  for (const int generation : {kNewest, kOlder}) {
    const auto whole = is_whole(before, now, generation);
    if (!whole || *whole) answers.push_back(generation);
    if (whole && *whole) return answers;
  }
  answers.push_back(0);
  return answers;
}

/// 0 if it refuses; checks the values, and that a fall-back is told.
int open_and_check(const Communicator& world, const fs::path& folder) {
  std::string warning;
  try {
    CheckpointStore store(folder, {});
    const auto reader = store.open_newest(world, [&](const std::string& text) { warning = text; });
    if (!reader) {
      ADD_FAILURE() << "says that there are no generations";
      return -1;
    }
    test::SampleState::expect(*reader, world.size(), folder);
    EXPECT_EQ(warning.empty(), !world.is_root() || reader->generation() == kNewest) << warning;
    if (!warning.empty()) {
      EXPECT_TRUE(warning.find(generation_name(kNewest)) != std::string::npos ||
                  warning.find("draws.segment") != std::string::npos)
          << warning;
      EXPECT_TRUE(warning.ends_with("; going on from generation 2 instead")) << warning;
    }
    return reader->generation();
  } catch (const Error& error) {
    EXPECT_EQ(error.category(), Category::input) << error.message();
    EXPECT_EQ(error.where(), folder.string());
    EXPECT_TRUE(error.what_is_wrong().starts_with("no generation of the checkpoint is whole: ")) << error.message();
    return 0;
  }
}

TEST(DamagedCheckpoint, AThousandAccidentsNeverCrashNorGiveWrongValues) {
  test::on_all_ranks([](const Communicator& world) {
    const test::SharedFolder shared(world);
    const fs::path folder = shared.path() / "checkpoint";
    {
      CheckpointStore store(folder, {});
      if (world.is_root()) fs::create_directory(folder);
      world.barrier();
      test::SampleState state(world, folder);
      for (int generation = 1; generation <= kNewest; ++generation) state.write(store, generation);
    }
    const Files whole = world.is_root() ? test::all_files(folder) : Files();
    Files current = whole;
    std::map<int, int> answers;
    for (int trial = 0; trial < kTrials; ++trial) {
      RandomStream random(20260131, "damage", {trial});
      const bool both = random.uniform_index(4) == 0;
      std::vector<int> may;
      std::string story;
      if (world.is_root()) {
        Files files = whole;
        for (const int generation : {kNewest, kOlder}) {
          if (generation == kOlder && !both) continue;
          std::vector<std::string> names;
          for (const auto& [name, bytes] : files)
            if (is_of(name, generation) || name.ends_with(".segment")) names.push_back(name);
          const auto pick = static_cast<std::size_t>(random.uniform_index(std::ssize(names)));
          story += damage_one(files, names[pick], random) + "; ";
        }
        put(folder, current, files);
        current = files;
        may = allowed(whole, files);
      }
      world.broadcast_object(may, 0);
      world.broadcast_object(story, 0);
      SCOPED_TRACE("trial " + std::to_string(trial) + ": " + story);
      const int answer = open_and_check(world, folder);
      world.barrier();  // all have read before the next accident
      ++answers[answer];
      ASSERT_TRUE(std::find(may.begin(), may.end(), answer) != may.end())
          << answer << " where the newest whole generation is " << may.front();
      ASSERT_FALSE(testing::Test::HasFailure());
    }
    // The accidents are of all sorts: some harmless, most cost the newest generation, some both.
    EXPECT_GT(answers[kNewest], 20);
    EXPECT_GT(answers[kOlder], 400);
    EXPECT_GT(answers[0], 100);
  });
}

TEST(DamagedCheckpoint, AnEmptyGenerationFolderOrAFileInItsPlaceIsSkipped) {
  test::on_all_ranks([](const Communicator& world) {
    const test::SharedFolder shared(world);
    CheckpointStore store(shared.path(), {});
    test::SampleState state(world, shared.path());
    for (int generation = 1; generation <= kOlder; ++generation) state.write(store, generation);
    if (world.is_root()) {
      fs::create_directory(shared.path() / "generation-000007");
      test::write_text(shared.path() / "generation-000009", "no folder");
      fs::create_directory(shared.path() / "generation-x");
      fs::create_directory(shared.path() / ".generation-000010.partial");
    }
    world.barrier();
    std::string warning;
    CheckpointStore again(shared.path(), {});
    const auto reader = again.open_newest(world, [&](const std::string& text) { warning = text; });
    ASSERT_TRUE(reader);
    test::SampleState::expect(*reader, world.size(), shared.path());
    EXPECT_EQ(reader->generation(), kOlder);
    EXPECT_EQ(warning.find("generation-000009") != std::string::npos, world.is_root());
    // The next one has a number of its own; the damaged ones go, the one that was good stays.
    again.write(world, {{"iteration", 10}}, [](CheckpointWriter& writer) { writer.object("k", 1); });
    world.barrier();
    EXPECT_EQ(generation_numbers(shared.path()), (std::vector<int>{10, kOlder}));
    EXPECT_FALSE(fs::exists(shared.path() / ".generation-000010.partial"));
  });
}

}  // namespace
}  // namespace tempera
