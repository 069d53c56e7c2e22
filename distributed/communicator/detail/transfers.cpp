#include "distributed/communicator/detail/transfers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "core/base/error.hpp"
#include "distributed/communicator/detail/mpi_call.hpp"
#include "distributed/communicator/detail/tags.hpp"
#include "distributed/communicator/detail/wait.hpp"

namespace tempera::detail {

void Transfer::add(std::vector<Chunk>& chunks, int rank, std::byte* data, std::size_t bytes) {
  const std::size_t chunk = channel_.domain.limits.chunk_bytes;
  for (std::size_t done = 0; done < bytes; done += chunk)
    chunks.push_back({rank, data + done, static_cast<int>(std::min(chunk, bytes - done))});
  requests_.reserve(sends_.size() + receives_.size());
}

void Transfer::post() {
  for (const Chunk& chunk : receives_)
    check_mpi(MPI_Irecv(chunk.data, chunk.bytes, MPI_BYTE, chunk.rank, kTransferTag, channel_.comm,
                        &requests_.emplace_back(MPI_REQUEST_NULL)),
              "MPI_Irecv");
  for (const Chunk& chunk : sends_)
    check_mpi(MPI_Isend(chunk.data, chunk.bytes, MPI_BYTE, chunk.rank, kTransferTag, channel_.comm,
                        &requests_.emplace_back(MPI_REQUEST_NULL)),
              "MPI_Isend");
}

bool Transfer::advance() {
  for (; through_ < requests_.size(); ++through_) {
    MPI_Status status;
    int done = 0;
    const int code = MPI_Test(&requests_[through_], &done, &status);
    if (code == MPI_SUCCESS && !done) return false;
    if (code != MPI_SUCCESS && first_error_ == MPI_SUCCESS) first_error_ = code;
    if (code != MPI_SUCCESS || through_ >= receives_.size()) continue;
    int bytes = 0;
    MPI_Get_count(&status, MPI_BYTE, &bytes);
    if (bytes == receives_[through_].bytes || wrong_ != nullptr) continue;
    wrong_ = &receives_[through_];
    wrong_bytes_ = bytes;
  }
  return true;
}

void Transfer::finish(Operation operation) {
  {
    Wait wait(channel_, operation);
    while (!advance()) wait.step();
  }
  check_mpi(first_error_, name(operation));
  if (wrong_ != nullptr)
    throw Error(Category::environment, channel_.regions->current(),
                fmt::format("{}: rank {} sent {} bytes where {} were expected", name(operation),
                            channel_.members[static_cast<std::size_t>(wrong_->rank)], wrong_bytes_, wrong_->bytes),
                "both sides must agree on the lengths; this is a defect of the calling program");
}

void broadcast_chunks(Channel& channel, std::span<std::byte> data, int root) {
  const std::size_t chunk = channel.domain.limits.chunk_bytes;
  for (std::size_t done = 0; done < data.size(); done += chunk)
    check_mpi(MPI_Bcast(data.data() + done, static_cast<int>(std::min(chunk, data.size() - done)), MPI_BYTE, root,
                        channel.comm),
              "MPI_Bcast");
}

void gather_pieces(Channel& channel, Operation operation, std::span<const std::int64_t> counts,
                   std::span<std::byte> data) {
  const auto size = static_cast<std::size_t>(channel.size);
  if (size == 1 || data.empty()) return;
  if (data.size() <= channel.domain.limits.chunk_bytes) {
    std::vector<int> lengths(counts.begin(), counts.end());
    std::vector<int> offsets(size, 0);
    std::partial_sum(lengths.begin(), lengths.end() - 1, offsets.begin() + 1);
    check_mpi(MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, data.data(), lengths.data(), offsets.data(), MPI_BYTE,
                             channel.comm),
              "MPI_Allgatherv");
    return;
  }
  // Ring: every piece goes once round, each link carries it once.
  std::vector<std::size_t> offsets(size + 1, 0);
  for (std::size_t q = 0; q < size; ++q) offsets[q + 1] = offsets[q] + static_cast<std::size_t>(counts[q]);
  const auto piece = [&](int q) {
    const auto index = static_cast<std::size_t>((q + 2 * channel.size) % channel.size);
    return data.subspan(offsets[index], offsets[index + 1] - offsets[index]);
  };
  for (int step = 0; step + 1 < channel.size; ++step) {
    Transfer transfer(channel);
    transfer.send((channel.rank + 1) % channel.size, piece(channel.rank - step));
    transfer.receive((channel.rank + channel.size - 1) % channel.size, piece(channel.rank - step - 1));
    transfer.run(operation);
  }
}

}  // namespace tempera::detail
