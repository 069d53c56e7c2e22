#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "distributed/communicator/detail/channel.hpp"

namespace tempera::detail {

// What follows an arrival. Every piece of memory the caller owns; lengths in bytes may exceed 2^31.

/// Point-to-point parts that all travel at once. Build it before the arrival, so that memory cannot run out after it.
class Transfer {
 public:
  explicit Transfer(Channel& channel) : channel_(channel) {}
  void send(int rank, std::span<const std::byte> data) {
    add(sends_, rank, const_cast<std::byte*>(data.data()), data.size());
  }
  void receive(int rank, std::span<std::byte> data) { add(receives_, rank, data.data(), data.size()); }
  /// Lets all parts go.
  void post();
  /// Makes progress without blocking; true once all parts are through. @pre post() was called
  bool advance();
  /// Waits for all parts. @throws Error{environment} when a part is longer or shorter than expected
  void finish(Operation operation);
  void run(Operation operation) {
    post();
    finish(operation);
  }

 private:
  struct Chunk {
    int rank;
    std::byte* data;
    int bytes;
  };
  void add(std::vector<Chunk>& chunks, int rank, std::byte* data, std::size_t bytes);
  Channel& channel_;
  std::vector<Chunk> sends_;
  std::vector<Chunk> receives_;
  std::vector<MPI_Request> requests_;  ///< of the receives, then of the sends
  std::size_t through_ = 0;            ///< requests at the front that are done
  // Errors are kept until nothing is under way any more: the caller's memory goes with the exception.
  int first_error_ = MPI_SUCCESS;
  const Chunk* wrong_ = nullptr;
  int wrong_bytes_ = 0;
};

void broadcast_chunks(Channel& channel, std::span<std::byte> data, int root);

/// Pieces of `counts` bytes lie one after the other in `data`, this rank's in place; fills in those of the others.
void gather_pieces(Channel& channel, Operation operation, std::span<const std::int64_t> counts,
                   std::span<std::byte> data);

}  // namespace tempera::detail
