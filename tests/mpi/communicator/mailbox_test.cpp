#include "distributed/communicator/mailbox.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "tests/support/mpi.hpp"

namespace tempera {
namespace {

using test::on_all_ranks;

TEST(Mailbox, EveryLetterArrivesOnceAndThoseOfASenderInOrder) {
  on_all_ranks([](const Communicator& world) {
    constexpr int kLetters = 500;
    Mailbox mailbox(world);
    for (int k = 0; k < kLetters; ++k)
      for (int to = 0; to < world.size(); ++to)
        mailbox.send(to, {world.rank(), {static_cast<double>(k), static_cast<double>(to)}});
    std::vector<int> seen(static_cast<std::size_t>(world.size()), 0);
    for (int k = 0; k < kLetters * world.size(); ++k) {
      const Letter letter = mailbox.wait();
      EXPECT_EQ(letter.content[0], seen[static_cast<std::size_t>(letter.slot)]++);
      EXPECT_EQ(letter.content[1], world.rank());
    }
    EXPECT_FALSE(mailbox.poll());
    world.barrier();
  });
}

TEST(Mailbox, WhoWaitsForARankThatFailedLeavesToo) {
  const Communicator world(MPI_COMM_WORLD);
  for (int round = 0; round < 20; ++round) {
    std::string message;
    try {
      collectively(world, [&] {
        Mailbox mailbox(world);
        mailbox.send((world.rank() + 1) % world.size(), {7, {}});
        if (world.rank() == round % world.size()) throw Error(Category::input, "w", "x");
        for (;;) mailbox.wait();
      });
    } catch (const Error& error) {
      message = error.message();
    }
    EXPECT_EQ(message, "tempera: error: w: x");
    EXPECT_EQ(world.all_reduce_value(1, Reduction::sum), world.size());
  }
}

}  // namespace
}  // namespace tempera
