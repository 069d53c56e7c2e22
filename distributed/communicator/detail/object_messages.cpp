#include "distributed/communicator/detail/object_messages.hpp"

#include <algorithm>
#include <cstring>

#include "core/base/contract.hpp"
#include "distributed/communicator/detail/mpi_call.hpp"
#include "distributed/communicator/detail/tags.hpp"
#include "distributed/communicator/detail/wait.hpp"

namespace tempera::detail {

namespace {

void give_up_if_left(Channel& channel, int peer) {
  if (channel.domain.notice_of(channel.members[static_cast<std::size_t>(peer)]) != nullptr)
    throw LeftBecauseOfAnotherRank{&channel.domain};
}

}  // namespace

void send_object_bytes(Channel& channel, std::vector<std::byte> bytes, int destination, int tag) {
  TEMPERA_EXPECTS(destination >= 0 && destination < channel.size && tag >= 0 && tag < kFirstInternalTag);
  if (channel.domain.someone_left()) throw LeftBecauseOfAnotherRank{&channel.domain};
  if (destination != channel.rank) channel.count({1, std::ssize(bytes)});
  const std::uint64_t length = bytes.size();
  std::vector<std::byte> stream(sizeof(length) + bytes.size());
  std::memcpy(stream.data(), &length, sizeof(length));
  std::ranges::copy(bytes, stream.begin() + sizeof(length));
  std::uint64_t first = 0;
  const std::size_t chunk = channel.domain.limits.chunk_bytes;
  for (std::size_t done = 0; done < stream.size(); done += chunk) {
    const auto end = static_cast<std::ptrdiff_t>(std::min(done + chunk, stream.size()));
    const std::uint64_t ticket = channel.domain.post(
        channel.comm, destination, tag,
        std::vector<std::byte>(stream.begin() + static_cast<std::ptrdiff_t>(done), stream.begin() + end));
    if (done == 0) first = ticket;
    ++channel.objects_sent[{destination, tag}];
  }
  if (destination == channel.rank) return;
  Wait wait(channel, Operation::send_object);
  while (!channel.domain.delivered(channel.comm, first)) {
    wait.step();
    give_up_if_left(channel, destination);
  }
}

std::vector<std::byte> receive_object_bytes(Channel& channel, int source, int tag) {
  TEMPERA_EXPECTS(source >= 0 && source < channel.size && tag >= 0 && tag < kFirstInternalTag);
  if (channel.domain.someone_left()) throw LeftBecauseOfAnotherRank{&channel.domain};
  std::vector<std::byte> stream;
  std::uint64_t length = 0;
  Wait wait(channel, Operation::receive_object, Wait::For::object, source, tag);
  do {
    while (!channel.try_receive(source, tag, &stream)) {
      wait.step();
      give_up_if_left(channel, source);
    }
    ++channel.objects_received[{source, tag}];
    std::memcpy(&length, stream.data(), sizeof(length));
  } while (stream.size() < sizeof(length) + length);
  stream.erase(stream.begin(), stream.begin() + sizeof(length));
  return stream;
}

}  // namespace tempera::detail
