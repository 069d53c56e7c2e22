#pragma once

#include <functional>
#include <utility>

#include "distributed/communicator/stop_request.hpp"

namespace tempera::detail {

/// As long as this lives, those who ask for signals ask this too (StopRequest::ask_too).
class Listening {
 public:
  /// @param signals  may be null: then nothing
  Listening(const StopRequest* signals, std::function<bool()> others) : signals_(signals) {
    if (signals_ != nullptr) signals_->ask_too(std::move(others));
  }
  ~Listening() {
    if (signals_ != nullptr) signals_->ask_too({});
  }
  Listening(const Listening&) = delete;
  Listening& operator=(const Listening&) = delete;

 private:
  const StopRequest* signals_;
};

}  // namespace tempera::detail
