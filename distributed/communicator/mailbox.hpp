#pragma once

#include <array>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "distributed/communicator/communicator.hpp"

namespace tempera {

/// What it is about, for the receiver, and two numbers: 24 bytes.
struct Letter {
  Index slot = 0;
  std::array<double, 2> content{};
};

/// How a rank waits: looks without a break at first, then sleeps between two looks, each time twice as long.
struct Patience {
  double eager = 0;  ///< seconds without sleep, beyond some looks in a row; the processor is offered to others
  double shortest_nap = 20e-6;  ///< seconds
  double longest_nap = 0.001;
};

/// Letters between the ranks of a communicator, without any operation that all of them take part in; who receives one need
/// not know who sends it. Those of one sender arrive in order, those to oneself do not travel.
///
/// If a rank leaves the scope around by an exception, those that wait for letters leave too.
class Mailbox {
 public:
  /// Collective.
  explicit Mailbox(const Communicator& ranks);
  ~Mailbox();
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  int rank() const { return ranks_.rank(); }
  /// Does not wait. Not collective.
  void send(int to, const Letter& letter);
  /// A letter, if one is there; one that has just come may be seen at the next call only. Not collective.
  std::optional<Letter> poll();
  /// Waits for one. Not collective.
  Letter wait();
  /// The same for so many seconds at most; silent however often it is called, unlike wait(), of which the watchdog tells. Not
  /// collective.
  std::optional<Letter> wait_for(double seconds, Patience patience = {});

 private:
  struct Posted {
    Letter letter;
    MPI_Request request;
  };
  void forget_delivered();

  Communicator ranks_;
  std::deque<Letter> own_;
  std::deque<std::unique_ptr<Posted>> posted_;
};

}  // namespace tempera
