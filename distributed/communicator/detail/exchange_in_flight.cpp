#include "distributed/communicator/detail/exchange_in_flight.hpp"

#include "distributed/communicator/detail/wait.hpp"

namespace tempera::detail {

ExchangeInFlight::~ExchangeInFlight() {
  if (stage_ == Stage::preparing || stage_ == Stage::over) return;
  try {
    finish();
  } catch (...) {  // another error is on its way already, and all ranks hear of that
    end();
  }
}

void ExchangeInFlight::begin() {
  channel_->enter(Operation::exchange);
  stage_ = Stage::arriving;
  channel_->exchange_in_flight = true;
  channel_->domain.join_in_flight(*this);
  advance();
}

void ExchangeInFlight::advance() {
  if (stage_ == Stage::arriving && channel_->arrival.advance()) {
    stage_ = channel_->arrival.matched() ? Stage::moving : Stage::mismatched;
    if (stage_ == Stage::moving) transfer_.post();
  }
  if (stage_ == Stage::moving) transfer_.advance();
}

void ExchangeInFlight::wait_for_arrival() {
  Wait wait(*channel_, Operation::exchange, Wait::For::arrival);
  for (advance(); stage_ == Stage::arriving; advance()) {
    wait.step();
    if (stage_ == Stage::arriving && channel_->domain.never_completes(*channel_, channel_->arrival.entered())) {
      end();  // the recovery completes the arrival
      throw LeftBecauseOfAnotherRank{&channel_->domain};
    }
  }
}

void ExchangeInFlight::finish() {
  if (stage_ == Stage::over) return;
  wait_for_arrival();
  if (stage_ == Stage::mismatched) {
    end();
    throw channel_->different_operations();
  }
  transfer_.finish(Operation::exchange);
  end();
}

void ExchangeInFlight::end() {
  stage_ = Stage::over;
  channel_->exchange_in_flight = false;
  channel_->domain.leave_in_flight(*this);
}

}  // namespace tempera::detail
