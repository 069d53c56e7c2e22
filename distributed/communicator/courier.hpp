#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "distributed/communicator/mailbox.hpp"

namespace tempera {

/// Texts of any length between ranks that go on with something else meanwhile: cut into letters, put together again on
/// arrival. Sending never waits, so two ranks that send to each other at once do not block each other. Meant for messages
/// of some hundred bytes. Texts of one sender arrive in order.
class Courier {
 public:
  struct Message {
    int from = 0;
    std::string text;
  };

  /// Collective.
  explicit Courier(const Communicator& ranks) : mailbox_(ranks) {}
  /// @pre text is not empty and shorter than 2^31 bytes. Not collective.
  void send(int to, std::string_view text);
  /// A message that arrives within so many seconds; leaves with the others if a rank has failed. Not collective.
  std::optional<Message> wait_for(double seconds, Patience patience = {});
  /// A message whose last letter is there. Not collective.
  std::optional<Message> poll();

 private:
  std::optional<Message> take(const Letter& letter);

  Mailbox mailbox_;
  std::map<int, std::string> arriving_;  // by sender
};

}  // namespace tempera
