#pragma once

#include <memory>

#include "distributed/communicator/detail/transfers.hpp"

namespace tempera::detail {

/// An exchange between its begin and its end. As with every operation, nothing is sent before all ranks have entered;
/// until then, and while the parts travel, advance() has to be called now and then: every wait of the domain does.
///
/// Once all ranks have entered, each of them carries the exchange out, whatever happens: one that leaves by an
/// exception does so in the destructor, as others wait for its parts.
class ExchangeInFlight {
 public:
  explicit ExchangeInFlight(std::shared_ptr<Channel> channel) : channel_(std::move(channel)), transfer_(*channel_) {}
  ~ExchangeInFlight();
  ExchangeInFlight(const ExchangeInFlight&) = delete;
  ExchangeInFlight& operator=(const ExchangeInFlight&) = delete;

  Channel& channel() { return *channel_; }
  /// To be filled before begin().
  Transfer& transfer() { return transfer_; }
  void begin();
  /// Makes progress without blocking.
  void advance();
  /// Waits for the end. @throws as Channel::arrive and Transfer::finish
  void finish();

 private:
  enum class Stage { preparing, arriving, mismatched, moving, over };

  void wait_for_arrival();
  void end();

  std::shared_ptr<Channel> channel_;
  Transfer transfer_;
  Stage stage_ = Stage::preparing;
};

}  // namespace tempera::detail
