#include "distributed/communicator/courier.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "tests/support/mpi.hpp"

namespace tempera::test {
namespace {

std::string text_of(int from, int number) {
  std::string text = std::to_string(from) + ":" + std::to_string(number) + ":";
  return text.append(static_cast<std::size_t>(number * 7 % 100), static_cast<char>('a' + number % 26));
}

TEST(Courier, TextsOfAnyLengthArriveWholeAndInOrderWhileAllSendAtOnce) {
  on_all_ranks([](const Communicator& world) {
    constexpr int kTexts = 200;
    Courier courier(world);
    for (int k = 0; k < kTexts; ++k)
      for (int to = 0; to < world.size(); ++to) courier.send(to, text_of(world.rank(), k));
    std::vector<int> seen(static_cast<std::size_t>(world.size()), 0);
    for (int k = 0; k < kTexts * world.size(); ++k) {
      const auto message = courier.wait_for(60);
      ASSERT_TRUE(message.has_value());
      EXPECT_EQ(message->text, text_of(message->from, seen[static_cast<std::size_t>(message->from)]++));
    }
    EXPECT_FALSE(courier.wait_for(0).has_value());
    world.barrier();
  });
}

TEST(Courier, WhoWaitsForARankThatFailedLeavesToo) {
  const Communicator world(MPI_COMM_WORLD);
  for (int round = 0; round < 10; ++round) {
    std::string message;
    try {
      collectively(world, [&] {
        Courier courier(world);
        if (world.rank() == round % world.size()) throw Error(Category::input, "w", "x");
        for (;;) courier.wait_for(0.01);
      });
    } catch (const Error& error) {
      message = error.message();
    }
    EXPECT_EQ(message, "tempera: error: w: x");
  }
}

}  // namespace
}  // namespace tempera::test
