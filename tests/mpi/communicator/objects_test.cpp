#include <gtest/gtest.h>

#include <boost/serialization/map.hpp>
#include <map>

#include "core/base/contract.hpp"

#include "distributed/communicator/detail/channel.hpp"
#include "distributed/communicator/objects.hpp"
#include "tests/support/mpi.hpp"

namespace tempera {
namespace {

using test::on_all_ranks;
using Nested = std::map<std::string, std::vector<std::vector<double>>>;

Nested nested(int rank, int size) {
  Nested object;
  for (int i = 0; i < size; ++i)
    object["key " + std::to_string(i)] = {{}, std::vector<double>(static_cast<std::size_t>(i), rank + 0.5)};
  return object;
}

/// With messages of at most 40 bytes every object but the smallest is cut.
template <class Body>
void with_small_and_large_messages(Body&& body) {
  for (std::size_t chunk : {std::size_t{1} << 30, std::size_t{40}})
    on_all_ranks([&](const Communicator& world) {
      detail::Channel::of(world).domain.limits.chunk_bytes = chunk;
      body(world);
    });
}

TEST(Objects, BroadcastFromEveryRoot) {
  with_small_and_large_messages([](const Communicator& world) {
    for (int root = 0; root < world.size(); ++root)
      for (int size : {0, 1, 30}) {
        Nested object = nested(world.rank(), world.rank() == root ? size : 3);
        world.broadcast_object(object, root);
        EXPECT_EQ(object, nested(root, size));
      }
  });
}

TEST(Objects, GatherKeepsRankOrderAndIsEmptyElsewhere) {
  with_small_and_large_messages([](const Communicator& world) {
    for (int root = 0; root < world.size(); ++root) {
      const std::vector<Nested> all = world.gather_objects(nested(world.rank(), 5 * world.rank()), root);
      ASSERT_EQ(all.size(), world.rank() == root ? static_cast<std::size_t>(world.size()) : 0u);
      for (std::size_t q = 0; q < all.size(); ++q)
        EXPECT_EQ(all[q], nested(static_cast<int>(q), 5 * static_cast<int>(q)));
    }
  });
}

TEST(Objects, PointToPointKeepsOrderWithinATagAndSeparatesTags) {
  with_small_and_large_messages([](const Communicator& world) {
    const int next = (world.rank() + 1) % world.size();
    const int previous = (world.rank() + world.size() - 1) % world.size();
    const int last_tag = 16383;
    for (int turn = 0; turn < world.size(); ++turn) {  // one sender at a time: large sends wait for their receiver
      if (turn == world.rank())
        for (int i = 0; i < 3; ++i) world.send_object(nested(world.rank(), i), next, 7);
      if (turn == world.rank()) world.send_object(std::string("other tag"), next, last_tag);
      if (turn == previous) {
        EXPECT_EQ(world.receive_object<std::string>(previous, last_tag), "other tag");
        for (int i = 0; i < 3; ++i) EXPECT_EQ(world.receive_object<Nested>(previous, 7), nested(previous, i));
      }
    }
  });
}

TEST(Objects, TagsOfTheLibraryAreRefused) {
  on_all_ranks([](const Communicator& world) {
    EXPECT_THROW(world.send_object(1, 0, 16384), ContractViolation);
    EXPECT_THROW(world.receive_object<int>(0, -1), ContractViolation);
  });
}

}  // namespace
}  // namespace tempera
