#include "distributed/communicator/detail/arrival.hpp"

#include <algorithm>
#include <cstring>

#include "core/base/contract.hpp"
#include "distributed/communicator/detail/mpi_call.hpp"
#include "distributed/communicator/detail/tags.hpp"

namespace tempera::detail {

namespace {
constexpr std::size_t kBufferBytes = 64 + Arrival::kCapacity;
}

Arrival::Arrival(MPI_Comm comm, int rank, int size)
    : comm_(comm),
      rank_(rank),
      size_(size),
      outgoing_(std::make_unique<std::byte[]>(kBufferBytes)),
      incoming_(size > 1 ? std::make_unique<std::byte[]>(kBufferBytes) : nullptr) {
  static_assert(sizeof(Header) <= 64);
}

Arrival::~Arrival() {
  if (!pending_ || !posted_ || !mpi_is_running()) return;
  // Only after an error outside every collective scope: the other ranks will never come.
  if (requests_[0] != MPI_REQUEST_NULL && MPI_Cancel(&requests_[0]) == MPI_SUCCESS)
    MPI_Wait(&requests_[0], MPI_STATUS_IGNORE);
  if (requests_[1] != MPI_REQUEST_NULL) {
    MPI_Request_free(&requests_[1]);
    static_cast<void>(outgoing_.release());  // MPI may still read it
  }
}

void Arrival::begin(std::uint64_t signature, std::uint64_t flags, std::span<const std::byte> payload) {
  TEMPERA_EXPECTS(!pending_ && payload.size() * static_cast<std::size_t>(size_) <= kCapacity);
  header() = Header{signature, signature, flags, rank_, rank_};
  if (!payload.empty()) std::memcpy(outgoing_.get() + sizeof(Header), payload.data(), payload.size());
  payload_bytes_ = payload.size();
  step_ = 1;
  posted_ = false;
  pending_ = true;
  ++entered_;
}

std::size_t Arrival::blocks_in_step() const {
  return static_cast<std::size_t>(std::min(step_, size_ - step_));
}

void Arrival::post() {
  const int source = (rank_ + step_) % size_;
  const int destination = (rank_ - step_ + size_) % size_;
  check_mpi(
      MPI_Irecv(incoming_.get(), static_cast<int>(kBufferBytes), MPI_BYTE, source, kArrivalTag, comm_, &requests_[0]),
      "MPI_Irecv");
  const std::size_t bytes = sizeof(Header) + blocks_in_step() * payload_bytes_;
  check_mpi(
      MPI_Isend(outgoing_.get(), static_cast<int>(bytes), MPI_BYTE, destination, kArrivalTag, comm_, &requests_[1]),
      "MPI_Isend");
  posted_ = true;
}

void Arrival::merge(std::size_t received_bytes) {
  const Header& other = *reinterpret_cast<const Header*>(incoming_.get());
  Header& mine = header();
  if (std::pair(other.lowest, other.lowest_rank) < std::pair(mine.lowest, mine.lowest_rank)) {
    mine.lowest = other.lowest;
    mine.lowest_rank = other.lowest_rank;
  }
  if (std::pair(other.highest, other.highest_rank) > std::pair(mine.highest, mine.highest_rank)) {
    mine.highest = other.highest;
    mine.highest_rank = other.highest_rank;
  }
  mine.flags |= other.flags;
  // Payloads of different sizes come with different signatures; then nobody reads them.
  const std::size_t bytes = blocks_in_step() * payload_bytes_;
  if (bytes > 0 && received_bytes == sizeof(Header) + bytes)
    std::memcpy(outgoing_.get() + sizeof(Header) + static_cast<std::size_t>(step_) * payload_bytes_,
                incoming_.get() + sizeof(Header), bytes);
}

bool Arrival::advance() {
  while (step_ < size_) {
    if (!posted_) post();
    int done = 0;
    MPI_Status statuses[2];
    check_mpi(MPI_Testall(2, requests_, &done, statuses), "MPI_Testall");
    if (!done) return false;
    int bytes = 0;
    check_mpi(MPI_Get_count(&statuses[0], MPI_BYTE, &bytes), "MPI_Get_count");
    merge(static_cast<std::size_t>(bytes));
    posted_ = false;
    step_ *= 2;
  }
  pending_ = false;
  return true;
}

std::span<const std::byte> Arrival::payload_of(int rank) const {
  const auto block = static_cast<std::size_t>((rank - rank_ + size_) % size_);
  return {outgoing_.get() + sizeof(Header) + block * payload_bytes_, payload_bytes_};
}

}  // namespace tempera::detail
