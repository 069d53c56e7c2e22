#pragma once

namespace tempera::detail {

/// Throws Error{environment} with the MPI library's own text unless `code` is MPI_SUCCESS.
void check_mpi(int code, const char* function);

/// False before MPI_Init and after MPI_Finalize, when no MPI object may be touched.
bool mpi_is_running();

}  // namespace tempera::detail
