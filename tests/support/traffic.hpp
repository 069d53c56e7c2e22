#pragma once

#include <ostream>

#include "distributed/communicator/operation_traffic.hpp"

namespace tempera {

/// For messages of failed tests.
inline void PrintTo(const Traffic& traffic, std::ostream* out) {
  *out << traffic.messages << " messages, " << traffic.bytes << " bytes";
}

}  // namespace tempera
