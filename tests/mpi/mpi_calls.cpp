#include "tests/mpi/mpi_calls.hpp"

#include <mpi.h>

#include <atomic>

// The linker prefers these definitions to the library's, whose own names begin with PMPI_. A function that the product does
// not call need not be here; tests/mpi/tempering/swap_traffic_test.cpp fails if it begins to send in another way.

namespace {

std::atomic<tempera::Index> sends = 0, large_sends = 0, collectives = 0, bytes = 0;

tempera::Index bytes_of(int count, MPI_Datatype type) {
  int size = 0;
  PMPI_Type_size(type, &size);
  return static_cast<tempera::Index>(count) * size;
}

void count_send(int count, MPI_Datatype type) {
  ++sends;
  if (bytes_of(count, type) > 24) ++large_sends;
  bytes += bytes_of(count, type);
}

bool is_root(int root, MPI_Comm comm) {
  int rank = 0;
  PMPI_Comm_rank(comm, &rank);
  return rank == root;
}

}  // namespace

tempera::test::MpiCalls tempera::test::mpi_calls() {
  return {sends, large_sends, collectives, bytes};
}

extern "C" {

int MPI_Isend(const void* data, int count, MPI_Datatype type, int to, int tag, MPI_Comm comm, MPI_Request* request) {
  count_send(count, type);
  return PMPI_Isend(data, count, type, to, tag, comm, request);
}

int MPI_Send(const void* data, int count, MPI_Datatype type, int to, int tag, MPI_Comm comm) {
  count_send(count, type);
  return PMPI_Send(data, count, type, to, tag, comm);
}

int MPI_Barrier(MPI_Comm comm) {
  ++collectives;
  return PMPI_Barrier(comm);
}

int MPI_Bcast(void* data, int count, MPI_Datatype type, int root, MPI_Comm comm) {
  ++collectives;
  int ranks = 1;
  PMPI_Comm_size(comm, &ranks);
  if (is_root(root, comm)) bytes += bytes_of(count, type) * (ranks - 1);
  return PMPI_Bcast(data, count, type, root, comm);
}

int MPI_Reduce(const void* in, void* out, int count, MPI_Datatype type, MPI_Op operation, int root, MPI_Comm comm) {
  ++collectives;
  if (!is_root(root, comm)) bytes += bytes_of(count, type);
  return PMPI_Reduce(in, out, count, type, operation, root, comm);
}

int MPI_Allreduce(const void* in, void* out, int count, MPI_Datatype type, MPI_Op operation, MPI_Comm comm) {
  ++collectives;
  return PMPI_Allreduce(in, out, count, type, operation, comm);
}

int MPI_Allgather(const void* in, int count, MPI_Datatype type, void* out, int out_count, MPI_Datatype out_type,
                  MPI_Comm comm) {
  ++collectives;
  return PMPI_Allgather(in, count, type, out, out_count, out_type, comm);
}

int MPI_Allgatherv(const void* in, int count, MPI_Datatype type, void* out, const int* counts, const int* offsets,
                   MPI_Datatype out_type, MPI_Comm comm) {
  ++collectives;
  return PMPI_Allgatherv(in, count, type, out, counts, offsets, out_type, comm);
}

int MPI_Alltoall(const void* in, int count, MPI_Datatype type, void* out, int out_count, MPI_Datatype out_type,
                 MPI_Comm comm) {
  ++collectives;
  return PMPI_Alltoall(in, count, type, out, out_count, out_type, comm);
}

}  // extern "C"
