#pragma once

#include <functional>

#include "core/base/index.hpp"

namespace tempera {

/// The part [begin, end) of a range, and which of the threads, from 0, works on it.
struct Piece {
  Index begin;
  Index end;
  int worker;
};

/// Calls body(piece) once for every piece of [0, count): `length` numbers each, fewer in the last, whatever the number of
/// threads is. With one thread or one piece the caller's thread does all in order; else at most `threads` OpenMP threads
/// take piece after piece, and the body must not call MPI. A worker has one piece at a time, so working memory may be kept
/// by Piece::worker, which is below workers_for(count, length, threads).
/// @pre length ≥ 1
/// @throws what the body threw first in the order of the pieces; those after it may be left out
void for_each_piece(Index count, Index length, int threads, const std::function<void(const Piece&)>& body);

/// Threads that for_each_piece uses at most: never more than there are pieces, and at least 1.
int workers_for(Index count, Index length, int threads);

}  // namespace tempera
