#include "core/base/parallel.hpp"

#include <omp.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>

#include "core/base/contract.hpp"

namespace tempera {

namespace {

/// No exception may leave a parallel region: keeps that of the lowest piece. Pieces begin in their order, so every piece
/// before the one that failed has begun, too.
class FirstFailure {
 public:
  explicit FirstFailure(Index pieces) : piece_(pieces) {}

  void attempt(Index piece, const std::function<void(const Piece&)>& body, const Piece& part) {
    if (piece >= piece_.load(std::memory_order_relaxed)) return;
    try {
      body(part);
    } catch (...) {
      const std::scoped_lock lock(mutex_);
      if (piece >= piece_.load(std::memory_order_relaxed)) return;
      piece_.store(piece, std::memory_order_relaxed);
      exception_ = std::current_exception();
    }
  }
  void rethrow() const {
    if (exception_) std::rethrow_exception(exception_);
  }

 private:
  std::atomic<Index> piece_;
  std::mutex mutex_;
  std::exception_ptr exception_;
};

Index pieces_of(Index count, Index length) {
  TEMPERA_EXPECTS(count >= 0 && length >= 1);
  return count / length + (count % length > 0 ? 1 : 0);
}

Piece part_of(Index count, Index length, Index piece, int worker) {
  return {piece * length, std::min(count - piece * length, length) + piece * length, worker};
}

}  // namespace

int workers_for(Index count, Index length, int threads) {
  return static_cast<int>(std::clamp<Index>(pieces_of(count, length), 1, std::max(threads, 1)));
}

void for_each_piece(Index count, Index length, int threads, const std::function<void(const Piece&)>& body) {
  const Index pieces = pieces_of(count, length);
  const int workers = workers_for(count, length, threads);
  if (workers == 1) {
    for (Index piece = 0; piece < pieces; ++piece) body(part_of(count, length, piece, 0));
    return;
  }
  FirstFailure failure(pieces);
#pragma omp parallel for schedule(dynamic) num_threads(workers)
  for (Index piece = 0; piece < pieces; ++piece)
    failure.attempt(piece, body, part_of(count, length, piece, omp_get_thread_num()));
  failure.rethrow();
}

}  // namespace tempera
