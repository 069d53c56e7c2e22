#pragma once

#include <mpi.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace tempera::detail {

/// Barrier that can be polled and left, with a few bytes from every rank on board.
///
/// Bruck's all-gather: in step 2^k a rank sends all it holds to rank − 2^k and learns as much from rank + 2^k, so that
/// after ⌈log2 P⌉ steps everyone has heard of everyone. What is on board: the lowest and highest signature (do all
/// ranks mean the same operation?), the union of flags, and optionally one payload of equal size a rank.
///
/// A rank enters at most one arrival ahead of any other. An arrival that a rank walked away from stays pending and is
/// completed later by advance(), once the missing ranks have entered too; nothing is cancelled on the way.
class Arrival {
 public:
  static constexpr std::size_t kCapacity = 16384;  // bytes of payload of all ranks together

  Arrival(MPI_Comm comm, int rank, int size);
  ~Arrival();
  Arrival(const Arrival&) = delete;
  Arrival& operator=(const Arrival&) = delete;

  /// Enters. @pre !pending() and size · payload.size() ≤ kCapacity
  void begin(std::uint64_t signature, std::uint64_t flags, std::span<const std::byte> payload);
  /// Makes progress without blocking; true once every rank has entered.
  bool advance();

  bool pending() const { return pending_; }
  /// Number of arrivals this rank has entered.
  std::uint64_t entered() const { return entered_; }

  /// @name Valid when complete
  ///@{
  bool matched() const { return header().lowest == header().highest; }
  std::uint64_t lowest() const { return header().lowest; }
  std::uint64_t highest() const { return header().highest; }
  int lowest_rank() const { return header().lowest_rank; }
  int highest_rank() const { return header().highest_rank; }
  std::uint64_t flags() const { return header().flags; }
  std::span<const std::byte> payload_of(int rank) const;
  ///@}

 private:
  struct Header {
    std::uint64_t lowest;
    std::uint64_t highest;
    std::uint64_t flags;
    int lowest_rank;
    int highest_rank;
  };
  Header& header() const { return *reinterpret_cast<Header*>(outgoing_.get()); }
  std::size_t blocks_in_step() const;
  void post();
  void merge(std::size_t received_bytes);

  MPI_Comm comm_;
  int rank_;
  int size_;
  std::unique_ptr<std::byte[]> outgoing_;  // header, then the blocks of ranks rank, rank + 1, … (mod size)
  std::unique_ptr<std::byte[]> incoming_;
  std::size_t payload_bytes_ = 0;
  int step_ = 1;
  bool posted_ = false;
  bool pending_ = false;
  std::uint64_t entered_ = 0;
  MPI_Request requests_[2] = {MPI_REQUEST_NULL, MPI_REQUEST_NULL};
};

}  // namespace tempera::detail
