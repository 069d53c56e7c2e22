#pragma once

#include "distributed/communicator/operation_traffic.hpp"
#include "distributed/gaussian_process/sharded_gp.hpp"

namespace tempera {

// What the ranks of a ShardedGpMaker send, all of them together, for models that they share but do not spread. The
// communicator counts its own operations; ScaLAPACK's messages do not pass through it.

/// Counted for one evidence with its gradient (ShardedHyperPosterior) of n points. @param parameters  of the kernel
Traffic shared_evidence_traffic(Index n, Index parameters, int ranks, Index block = kShardBlock);
/// Counted for a process (ShardedGpMaker::process).
Traffic shared_process_traffic(Index n, int ranks, Index block = kShardBlock);

/// Bytes that ScaLAPACK sends for the same on its grid of p × q ranks, within 15 % from kShardedFrom points on: panels of the
/// factor are broadcast along its rows and, transposed, along its columns, n²/2 · (p + q − 2) numbers in all; an inverse
/// takes about twice as many. What a transposition takes beside that is fitted to what MPI's profiling interface counted
/// on grids from 1 × 2 to 3 × 3.
double scalapack_evidence_bytes(Index n, int ranks, Index block = kShardBlock);
double scalapack_process_bytes(Index n, int ranks, Index block = kShardBlock);

}  // namespace tempera
