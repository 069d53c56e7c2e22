#pragma once

#include "core/base/index.hpp"

namespace tempera::test {

/// What this process has asked of the MPI library since it started, counted at the library's profiling interface (MPI
/// standard, chapter "Tool Support"): no accounting of the product is trusted.
struct MpiCalls {
  Index sends = 0;        ///< messages from rank to rank
  Index large_sends = 0;  ///< of more than 24 bytes
  Index collectives = 0;
  Index bytes = 0;  ///< of sends, and of broadcasts and reductions as if data went straight from rank to rank
};
MpiCalls mpi_calls();

}  // namespace tempera::test
