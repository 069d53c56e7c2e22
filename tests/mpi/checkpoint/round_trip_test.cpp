#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "tests/mpi/checkpoint/sample_state.hpp"
#include "tests/support/mpi.hpp"
#include "tests/support/shared_folder.hpp"
#include "tests/support/tensors.hpp"

namespace tempera {
namespace {

namespace fs = std::filesystem;

void never(const std::string& text) {
  ADD_FAILURE() << text;
}

/// Runs body on the first `count` ranks as a group of their own.
template <class Body>
void on_first(const Communicator& world, int count, Body&& body) {
  const Communicator group = world.split(world.rank() < count ? 0 : -1, world.rank());
  if (group.size() > 0) body(group);
  world.barrier();
}

struct Shape {
  Index rows, columns;
};
// None, one, one column, no column, more rows than ranks, wide rows, more than a block of a mebibyte.
constexpr Shape kShapes[] = {{0, 3}, {1, 1}, {7, 1}, {5, 0}, {130, 5}, {3, 20000}, {300001, 1}};

template <class T>
void write_one(CheckpointStore& store, const Communicator& ranks, Shape shape, Index padding) {
  const std::vector<Index> mine = test::rows_of_rank(shape.rows, ranks);
  const auto values = test::sample_rows<T>(1, mine, shape.columns, padding);
  store.write(ranks, {}, [&](CheckpointWriter& writer) {
    writer.rows("/deep/er/matrix", shape.rows, shape.columns, std::span<const Index>(mine), values.data(),
                shape.columns + padding);
  });
}

/// Rows in any order, some more than once, row 0 on every rank, the last rank of several nothing at all.
std::vector<Index> wanted_rows(Index total, const Communicator& ranks) {
  if (total == 0 || (ranks.size() > 1 && ranks.rank() == ranks.size() - 1)) return {};
  RandomStream random(11, "wanted", {ranks.rank()});
  std::vector<Index> wanted{0, total - 1, 0};
  for (Index k = 0; k < std::min<Index>(total, 2000); ++k) wanted.push_back(random.uniform_index(total));
  return wanted;
}

template <class T>
void round_trip(const Communicator& world, int writers, int readers, Shape shape) {
  SCOPED_TRACE(std::to_string(writers) + " → " + std::to_string(readers) + " ranks, " + std::to_string(shape.rows) +
               " × " + std::to_string(shape.columns));
  const test::SharedFolder folder(world);
  on_first(world, writers, [&](const Communicator& ranks) {
    CheckpointStore store(folder.path(), {});
    write_one<T>(store, ranks, shape, 2);
  });
  on_first(world, readers, [&](const Communicator& ranks) {
    CheckpointStore store(folder.path(), {});
    const auto reader = store.open_newest(ranks, never);
    ASSERT_TRUE(reader);
    EXPECT_EQ(reader->array("/deep/er/matrix").rows, shape.rows);
    EXPECT_EQ(reader->array("/deep/er/matrix").columns, shape.columns);
    test::expect_rows<T>(*reader, "/deep/er/matrix", 1, shape.columns, writers, wanted_rows(shape.rows, ranks), 1);
  });
}

// Every pair with the larger number the size of this world; smaller worlds test the others.
template <class Body>
void for_each_pair(const Communicator& world, Body&& body) {
  for (int other = 1; other <= world.size(); ++other) {
    body(world.size(), other);
    if (other != world.size()) body(other, world.size());
  }
}

TEST(CheckpointRoundTrip, MatricesOfEveryTypeAndShapeOnOtherNumbersOfRanks) {
  test::on_all_ranks([](const Communicator& world) {
    for_each_pair(world, [&](int writers, int readers) {
      for (const Shape shape : kShapes) round_trip<double>(world, writers, readers, shape);
      round_trip<std::int64_t>(world, writers, readers, {130, 5});
      round_trip<std::uint64_t>(world, writers, readers, {130, 5});
    });
  });
}

// More than the 8 MiB that a rank writes in one round.
TEST(CheckpointRoundTrip, MatricesThatTakeSeveralRoundsOfWriting) {
  test::on_all_ranks([](const Communicator& world) {
    for_each_pair(world, [&](int writers, int readers) {
      if (writers + readers > world.size() + 1) return;  // to and from one rank: the fewest that share the work
      round_trip<double>(world, writers, readers, {1100003, 1});
    });
    round_trip<double>(world, world.size(), world.size(), {21000 * world.size(), 60});
  });
}

TEST(CheckpointRoundTrip, ObjectsAndSegmentsOnOtherNumbersOfRanks) {
  test::on_all_ranks([](const Communicator& world) {
    for_each_pair(world, [&](int writers, int readers) {
      const test::SharedFolder folder(world);
      on_first(world, writers, [&](const Communicator& ranks) {
        CheckpointStore store(folder.path(), {});
        test::SampleState state(ranks, folder.path());
        state.write(store, 1);
        state.write(store, 2);
      });
      on_first(world, readers, [&](const Communicator& ranks) {
        CheckpointStore store(folder.path(), {});
        const auto reader = store.open_newest(ranks, never);
        ASSERT_TRUE(reader);
        test::SampleState::expect(*reader, writers, folder.path());
        // And on: the third generation by these ranks continues the segment of the others.
        test::SampleState state(ranks, folder.path(), &*reader);
        state.write(store, 3);
        CheckpointStore again(folder.path(), {});
        const auto third = again.open_newest(ranks, never);
        ASSERT_TRUE(third);
        EXPECT_EQ(third->generation(), 3);
        test::SampleState::expect(*third, readers, folder.path());
      });
    });
  });
}

TEST(CheckpointRoundTrip, FactorMatricesWithPartOfTheirRows) {
  test::on_all_ranks([](const Communicator& world) {
    const test::SharedFolder folder(world);
    const FactorMatrix whole = test::random_matrix(57, 5, 4);
    std::vector<Index> mine;
    for (Index row = world.rank(); row < 57; row += world.size()) mine.push_back(row);
    FactorMatrix local(std::ssize(mine) + 2, 5);  // two rows of others before its own
    for (Index k = 0; k < std::ssize(mine); ++k)
      std::copy_n(whole.row(mine[static_cast<std::size_t>(k)]), 5, local.row(k + 2));
    CheckpointStore store(folder.path(), {});
    store.write(world, {}, [&](CheckpointWriter& writer) { writer.rows("/a", 57, mine, local, 2); });
    const auto reader = store.open_newest(world, never);
    ASSERT_TRUE(reader);
    FactorMatrix restored(57, 5);
    std::vector<Index> all(57);
    for (Index row = 0; row < 57; ++row) all[static_cast<std::size_t>(row)] = row;
    reader->rows("/a", all, restored);
    for (Index row = 0; row < 57; ++row)
      for (Index c = 0; c < 5; ++c) EXPECT_EQ(restored(row, c), whole(row, c));
  });
}

/// The same values whoever writes them, in two generations.
void write_the_same(const Communicator& ranks, const fs::path& folder) {
  const auto write = [&](CheckpointStore& store, CheckpointSegment& segment, int generation) {
    std::vector<Index> mine;
    for (Index row = 0; row < 5000; ++row)
      if ((row * row + row / 7) % ranks.size() == ranks.rank()) mine.push_back(row);
    const auto values = test::sample_rows<double>(generation, mine, 4, ranks.rank());
    const auto counts = test::sample_rows<std::uint64_t>(generation, {mine.begin(), mine.end()}, 1, 0);
    std::vector<std::byte> byte(1);
    for (std::int64_t k = 1000 * (generation - 1); k < 1000 * generation; ++k) {
      byte[0] = test::SampleState::segment_byte(k);
      if (k % ranks.size() == ranks.rank()) segment.write(k, byte);
    }
    store.write(ranks, {{"iteration", generation}}, [&](CheckpointWriter& writer) {
      writer.object("b", test::SampleState::object(generation));
      writer.object("a", generation);
      writer.rows("/x", 5000, 4, std::span<const Index>(mine), values.data(), 4 + ranks.rank());
      writer.rows("/y/z", 5000, 1, std::span<const Index>(mine), counts.data(), 1);
      writer.segment(segment, 1000 * generation);
    });
  };
  CheckpointStore store(folder, {{{"rank", 4}}, "abc"});
  CheckpointSegment segment(ranks, folder, "draws");
  for (const int generation : {1, 2, 3}) write(store, segment, generation);
}

std::map<std::string, std::string> files_without_time(const fs::path& folder) {
  auto files = test::all_files(folder);
  for (auto& [name, bytes] : files) {
    if (!name.ends_with("index.json")) continue;
    auto json = nlohmann::ordered_json::parse(bytes);
    json.erase("written");
    json.erase("sha256");  // of the rest, the time included
    bytes = json.dump(1);
  }
  return files;
}

TEST(CheckpointLayout, BytesAndNumberOfFilesDoNotDependOnTheRanks) {
  test::on_all_ranks([](const Communicator& world) {
    std::map<std::string, std::string> one_rank;
    for (int writers = 1; writers <= world.size(); ++writers) {
      const test::SharedFolder folder(world);
      on_first(world, writers, [&](const Communicator& ranks) { write_the_same(ranks, folder.path()); });
      if (!world.is_root()) continue;
      const auto files = files_without_time(folder.path());
      if (writers == 1) one_rank = files;
      std::vector<std::string> names;
      for (const auto& [name, bytes] : files) {
        names.push_back(name);
        EXPECT_TRUE(one_rank.contains(name) && one_rank.at(name) == bytes) << name << " on " << writers << " ranks";
      }
      EXPECT_EQ(names, (std::vector<std::string>{"draws.segment", "generation-000002/arrays.h5",
                                                 "generation-000002/index.json", "generation-000002/objects.bin",
                                                 "generation-000003/arrays.h5", "generation-000003/index.json",
                                                 "generation-000003/objects.bin"}));
    }
  });
}

TEST(CheckpointLayout, TheIndexSaysWhatItIsAndNamesNoRanks) {
  test::on_all_ranks([](const Communicator& world) {
    const test::SharedFolder folder(world);
    write_the_same(world, folder.path());
    if (!world.is_root()) return;
    const auto index = nlohmann::json::parse(test::read_text(folder.path() / "generation-000003/index.json"));
    EXPECT_EQ(index["format"], 1);
    EXPECT_EQ(index["generation"], 3);
    EXPECT_EQ(index["progress"], nlohmann::json::parse(R"({"iteration": 3})"));
    EXPECT_EQ(index["configuration"], nlohmann::json::parse(R"({"rank": 4})"));
    EXPECT_EQ(index["input_sha256"], "abc");
    EXPECT_EQ(index["written"].get<std::string>().size(), 20u);
    const std::string keys = nlohmann::json(index).dump();
    EXPECT_EQ(keys.find("ranks"), std::string::npos);
    const auto generations = list_generations(folder.path());
    ASSERT_EQ(generations.size(), 2u);
    EXPECT_EQ(generations[0].number, 3);
    EXPECT_EQ(generations[1].number, 2);
    EXPECT_EQ(generations[0].bytes, index["bytes"].get<std::int64_t>());
  });
}

}  // namespace
}  // namespace tempera
