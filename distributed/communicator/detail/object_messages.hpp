#pragma once

#include <cstddef>
#include <vector>

#include "distributed/communicator/detail/channel.hpp"

namespace tempera::detail {

// An object travels as its length (8 bytes) and its bytes, cut into messages of at most the chunk size. The bytes
// belong to the domain until they are gone, so that a sender may leave; what is lost on the way is received in the
// recovery.

void send_object_bytes(Channel& channel, std::vector<std::byte> bytes, int destination, int tag);
std::vector<std::byte> receive_object_bytes(Channel& channel, int source, int tag);

}  // namespace tempera::detail
