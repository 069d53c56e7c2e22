#pragma once

#include <string>

#include "distributed/communicator/communicator.hpp"
#include "distributed/communicator/archive.hpp"

// Objects in messages: anything Boost.Serialization can write (include its headers for the containers in use).

namespace tempera {

template <class T>
void Communicator::broadcast_object(T& object, int root) const {
  std::vector<std::byte> bytes;
  if (rank() == root) bytes = to_bytes(object);
  bytes.resize(broadcast_value(bytes.size(), root));
  broadcast_bytes(bytes, root);
  if (rank() != root) from_bytes(bytes, object);
}

template <class T>
std::vector<T> Communicator::gather_objects(const T& object, int root) const {
  const std::vector<std::byte> mine = to_bytes(object);
  const Index length = std::ssize(mine);
  const std::vector<Index> lengths = gather(std::span<const Index>(&length, 1), root);
  const std::vector<std::byte> all = gather_bytes(mine, root);
  std::vector<T> objects;
  std::size_t offset = 0;
  for (Index bytes : lengths) {
    from_bytes(std::span(all).subspan(offset, static_cast<std::size_t>(bytes)), objects.emplace_back());
    offset += static_cast<std::size_t>(bytes);
  }
  return objects;
}

template <class T>
void Communicator::send_object(const T& object, int destination, int tag) const {
  send_bytes(to_bytes(object), destination, tag);
}

template <class T>
T Communicator::receive_object(int source, int tag) const {
  T object;
  from_bytes(receive_bytes(source, tag), object);
  return object;
}

}  // namespace tempera
