#include "distributed/checkpoint/checkpoint_store.hpp"

#include <gtest/gtest.h>

#include <boost/serialization/map.hpp>
#include <map>

#include "tests/support/mpi.hpp"
#include "tests/support/shared_folder.hpp"

namespace tempera {
namespace {

void never(const std::string& text) {
  ADD_FAILURE() << text;
}

TEST(CheckpointStore, GivesBackObjectsRowsAndSegments) {
  test::on_all_ranks([](const Communicator& world) {
    const test::SharedFolder folder(world);
    CheckpointStore store(folder.path() / "checkpoint", {{{"rank", 3}}, "abc"});
    EXPECT_FALSE(store.open_newest(world, never));

    const Index total = 100003, columns = 3;
    std::vector<Index> mine;
    std::vector<double> values;
    for (Index i = 0; i < total; ++i) {
      if ((i * 7919) % (world.size() + 1) != world.rank()) continue;  // some rows are on no rank
      mine.push_back(i);
      for (Index c = 0; c < columns; ++c) values.push_back(static_cast<double>(10 * i + c));
      values.push_back(-1);  // padding
    }
    const std::map<std::string, std::vector<int>> object{{"a", {1, 2}}, {"b", {}}};
    const auto info = store.write(world, {{"step", "sweep"}, {"iteration", 5}}, [&](CheckpointWriter& writer) {
      writer.object("state", object);
      writer.rows("/factors/0", total, columns, std::span<const Index>(mine), values.data(), columns + 1);
    });
    EXPECT_EQ(info.number, 1);
    CheckpointSegment segment(world, store.folder(), "draws");
    const std::vector<std::byte> part(1000, static_cast<std::byte>(world.rank()));
    segment.write(1000 * world.rank(), part);
    store.write(world, {{"step", "sweep"}, {"iteration", 6}}, [&](CheckpointWriter& writer) {
      writer.object("state", object);
      writer.rows("/factors/0", total, columns, std::span<const Index>(mine), values.data(), columns + 1);
      writer.segment(segment, 1000 * world.size());
    });

    const auto reader = store.open_newest(world, never);
    ASSERT_TRUE(reader);
    EXPECT_EQ(reader->generation(), 2);
    EXPECT_EQ(reader->progress().at("iteration"), 6);
    EXPECT_EQ(reader->identity().configuration.at("rank"), 3);
    std::map<std::string, std::vector<int>> restored;
    reader->object("state", restored);
    EXPECT_EQ(restored, object);
    const std::vector<Index> wanted{total - 1, 0, 50000, 50001, 50002, 50003, 50004, 7};
    std::vector<double> rows(wanted.size() * 4, 0.5);
    reader->rows("/factors/0", columns, std::span<const Index>(wanted), rows.data(), 4);
    for (std::size_t k = 0; k < wanted.size(); ++k)
      for (Index c = 0; c < columns; ++c) {
        const bool absent = (wanted[k] * 7919) % (world.size() + 1) == world.size();
        EXPECT_EQ(rows[4 * k + static_cast<std::size_t>(c)], absent ? 0.0 : static_cast<double>(10 * wanted[k] + c));
      }
    const CheckpointSegment again(world, store.folder(), "draws", &*reader);
    EXPECT_EQ(again.length(), 1000 * world.size());
    std::vector<std::byte> byte(1);
    again.read(again.length() - 1, byte);
    EXPECT_EQ(byte[0], static_cast<std::byte>(world.size() - 1));
  });
}

TEST(CheckpointStore, KeepsTheLastTwoGenerations) {
  test::on_all_ranks([](const Communicator& world) {
    const test::SharedFolder folder(world);
    CheckpointStore store(folder.path(), {});
    for (int k = 1; k <= 4; ++k)
      store.write(world, {{"iteration", k}}, [&](CheckpointWriter& writer) { writer.object("k", k); });
    world.barrier();
    EXPECT_EQ(generation_numbers(folder.path()), (std::vector<int>{4, 3}));
  });
}

}  // namespace
}  // namespace tempera
