#include <gtest/gtest.h>

#include <functional>
#include <new>
#include <stdexcept>

#include "core/base/contract.hpp"
#include "distributed/communicator/detail/channel.hpp"
#include "distributed/communicator/objects.hpp"
#include "distributed/communicator/process_grid.hpp"
#include "tests/support/mpi.hpp"

// One program that goes through every kind of operation on several communicators. A rank throws at one of its
// places; all ranks must leave with the same Error, and the communicators must work afterwards.

namespace tempera {
namespace {

/// Numbers the places where a program can fail, and fails at one of them.
class Places {
 public:
  explicit Places(int fail_at) : fail_at_(fail_at) {}
  void here() {
    if (next_++ == fail_at_)
      throw Error(Category::input, "place", "failed at place " + std::to_string(fail_at_), "mend");
  }
  int passed() const { return next_; }

 private:
  int fail_at_;
  int next_ = 0;
};

constexpr int kNever = -1;

void tour(const Communicator& world, const Communicator& lasting_half, Places& places) {
  const int P = world.size();
  const int right = (world.rank() + 1) % P;
  const int left = (world.rank() + P - 1) % P;
  std::vector<double> small(3, 1.0);
  std::vector<double> large(5000, 1.0);
  places.here();
  world.barrier();
  places.here();
  world.all_reduce(std::span<double>(small), Reduction::sum);
  world.all_reduce(std::span<double>(large), Reduction::sum);
  places.here();
  world.broadcast(std::span<double>(large), P - 1);
  places.here();
  const Communicator half = world.split(world.rank() % 2, 0);
  places.here();
  half.all_reduce(std::span<double>(small), Reduction::maximum);
  places.here();
  lasting_half.barrier();
  places.here();
  const std::vector<double> all = half.all_gather<double>(small);
  places.here();
  std::vector<double> got(large.size());
  const Outgoing<double> out{right, large};
  const Incoming<double> in{left, got};
  world.exchange<double>(std::span(&out, 1), std::span(&in, 1));
  places.here();
  {
    std::vector<double> arriving(large.size());
    const Outgoing<double> on{(half.rank() + 1) % half.size(), large};
    const Incoming<double> back{(half.rank() + half.size() - 1) % half.size(), arriving};
    PendingExchange exchange = half.begin_exchange<double>(std::span(&on, 1), std::span(&back, 1));
    places.here();  // the others need the parts of the rank that fails here
    world.all_reduce(std::span<double>(small), Reduction::sum);
    places.here();
    exchange.advance();
    places.here();
    exchange.finish();
  }
  places.here();
  {
    const ProcessGrid grid(world, P >= 4 ? std::vector<int>{2, 2} : std::vector<int>{P, 1});
    places.here();
    if (grid.active()) {
      grid.layer(0).all_reduce(std::span<double>(small), Reduction::sum);
      places.here();
      grid.layer(1).all_reduce(std::span<double>(large), Reduction::sum);
    } else {
      places.here();
    }
  }
  places.here();
  std::vector<Index> counts(static_cast<std::size_t>(P), 2);
  world.all_to_all<double>(std::vector<double>(static_cast<std::size_t>(2 * P)), counts);
  places.here();
  std::vector<double> mine(2);
  world.reduce_scatter_sum(std::vector<double>(static_cast<std::size_t>(2 * P)), counts, mine);
  places.here();
  std::string text(static_cast<std::size_t>(1000 * world.rank()), 'x');
  world.broadcast_object(text, 0);
  places.here();
  world.gather_objects(text, P - 1);
  places.here();
  if (world.is_root()) {
    for (int q = 1; q < P; ++q) world.send_object(std::string(100'000, 'y'), q, q);
  } else {
    world.receive_object<std::string>(0, world.rank());
  }
  places.here();
  const Communicator apart = half.split_independent(0, 0);
  apart.barrier();
  places.here();
  world.exclusive_sum(1);
  places.here();
}

int number_of_places(const Communicator& world) {
  Places places(kNever);
  tour(world, world.split(world.rank() % 2, 0), places);
  return places.passed();
}

void expect_usable(const Communicator& communicator) {
  const int P = communicator.size();
  EXPECT_EQ(communicator.all_reduce_value(communicator.rank() + 1, Reduction::sum), P * (P + 1) / 2);
  std::vector<double> large(4000, 1.0);
  communicator.all_reduce(std::span<double>(large), Reduction::sum);
  EXPECT_EQ(large.back(), P);
  EXPECT_FALSE(detail::Channel::of(communicator).arrival.pending());
}

/// Runs `body` in a collective scope and expects the same message on all ranks ("" for none).
void expect_message(const Communicator& communicator, const std::string& expected, const std::function<void()>& body) {
  std::string message;
  try {
    collectively(communicator, body);
  } catch (const Error& error) {
    message = error.message();
  }
  EXPECT_EQ(message, expected);
}

std::string message_of(int place) {
  return "tempera: error: place: failed at place " + std::to_string(place) + "\nhint: mend";
}

TEST(Agreement, OneRankThrowsAnywhereAndAllLeaveWithItsError) {
  const Communicator world(MPI_COMM_WORLD);
  const Communicator half = world.split(world.rank() % 2, 0);
  const int places = number_of_places(world);
  EXPECT_GE(places, 18);
  for (int round = 0; round < 3; ++round)
    for (int place = 0; place < places; ++place)
      for (int culprit = 0; culprit < world.size(); ++culprit) {
        SCOPED_TRACE(testing::Message() << "rank " << culprit << " at place " << place);
        Places mine(world.rank() == culprit ? place : kNever);
        expect_message(world, message_of(place), [&] { tour(world, half, mine); });
        expect_usable(world);
        expect_usable(half);
      }
  // Nothing is left behind but the two communicators that are still in use (number_of_places buried a third).
  collectively(world, [] {});
  EXPECT_EQ(detail::Channel::of(world).domain.channels().size(), 2u);
}

TEST(Agreement, OfTwoErrorsTheOneOfTheLowestRankIsThrown) {
  const Communicator world(MPI_COMM_WORLD);
  const Communicator half = world.split(world.rank() % 2, 0);
  const int places = number_of_places(world);
  for (int place = 0; place < places; ++place) {
    // Before any wait both ranks surely throw; which of the two gets that far otherwise depends on timing.
    Places mine(world.is_root() || world.rank() == world.size() - 1 ? place : kNever);
    expect_message(world, message_of(place), [&] { tour(world, half, mine); });
    expect_usable(world);
  }
  expect_message(world, "tempera: error: rank 0: mine",
                 [&] { throw Error(Category::numerical, "rank " + std::to_string(world.rank()), "mine"); });
}

TEST(Agreement, KeepsCategoryAndTurnsEveryExceptionIntoAnError) {
  const Communicator world(MPI_COMM_WORLD);
  const int last = world.size() - 1;
  for (Category category : {Category::usage, Category::input, Category::shape, Category::numerical,
                            Category::environment, Category::interrupted}) {
    try {
      collectively(world, [&] {
        if (world.rank() == last) throw Error(category, "w", "x", "h");
        world.barrier();
      });
    } catch (const Error& error) {
      EXPECT_EQ(error.category(), category);
    }
  }
  const auto throwing = [&](auto exception) {
    return [&world, last, exception] {
      if (world.rank() == last) throw exception;
      world.barrier();
    };
  };
  expect_message(world, "tempera: error: out of memory\nhint: use more MPI ranks or nodes, or a smaller --rank",
                 throwing(std::bad_alloc()));
  const std::string defect = "\nhint: this is a defect of tempera; please report it with the command line";
  expect_message(world, "tempera: error: internal error: oops" + defect, throwing(std::runtime_error("oops")));
  expect_message(world, "tempera: error: internal error: unknown exception" + defect, throwing(42));
  expect_message(world, "tempera: error: internal error: f.cpp:3: broken contract: a > b" + defect,
                 throwing(ContractViolation("a > b", "f.cpp", 3)));
  expect_usable(world);
}

TEST(Agreement, ReturnsWhatTheBodyReturns) {
  const Communicator world(MPI_COMM_WORLD);
  EXPECT_EQ(collectively(world, [&] { return world.rank() + 1; }), world.rank() + 1);
  const Communicator part = collectively(world, [&] { return world.split(world.rank() % 2, 0); });
  expect_usable(part);
}

TEST(Agreement, ARankThatFinishedEarlyStillThrows) {
  const Communicator world(MPI_COMM_WORLD);
  for (int i = 0; i < 100; ++i) {
    expect_message(world, "tempera: error: w: late", [&] {
      if (world.rank() == i % world.size()) throw Error(Category::input, "w", "late");
    });
    expect_usable(world);
  }
}

TEST(Agreement, ARankThatIgnoresOthersByCatchAllIsToldAgain) {
  const Communicator world(MPI_COMM_WORLD);
  expect_message(world, "tempera: error: w: x", [&] {
    if (world.is_root()) throw Error(Category::input, "w", "x");
    for (int i = 0; i < 5; ++i) {
      try {
        world.barrier();
      } catch (...) {  // what a body must not do; the scope still agrees
      }
    }
  });
  expect_usable(world);
}

TEST(Agreement, DifferentOperationsAreAnErrorThatNamesBoth) {
  const Communicator world(MPI_COMM_WORLD);
  TEMPERA_REQUIRE_RANKS(world, 2);
  const std::string hint =
      "\nhint: all ranks of a communicator must call the same operations in the same order; this is a defect of the "
      "calling program";
  expect_message(world, "tempera: error: sweep: rank 0 is in barrier while rank 1 is in all_reduce" + hint, [&] {
    const auto region = world.regions().open("sweep");
    if (world.rank() == 1)
      world.all_reduce_value(1, Reduction::sum);
    else
      world.barrier();
  });
  expect_message(world,
                 "tempera: error: ranks 0 and 1 call all_reduce with different arguments (length, root or kind)" + hint,
                 [&] {
                   std::vector<double> data(world.rank() == 0 ? 10 : 11);
                   if (world.rank() > 1) data.resize(world.size() > 3 ? 10 : 11);
                   world.split(world.rank() / 2, 0).all_reduce(std::span<double>(data), Reduction::sum);
                   world.barrier();
                 });
  expect_message(world, "tempera: error: rank 0 is in the end of the collective part while rank 1 is in barrier" + hint,
                 [&] {
                   if (!world.is_root()) world.barrier();
                 });
  expect_usable(world);
}

}  // namespace
}  // namespace tempera
