#include "distributed/communicator/environment.hpp"

#include <mpi.h>

#include "core/base/error.hpp"
#include "distributed/communicator/detail/mpi_call.hpp"

namespace tempera {

namespace {

bool start(int* argc, char*** argv) {
  int finalized = 0;
  MPI_Finalized(&finalized);
  if (finalized != 0)
    throw Error(Category::environment, "MPI_Init", "MPI was finalised earlier in this process and cannot start again",
                "create one MpiEnvironment for the whole program");
  if (detail::mpi_is_running()) return false;
  int provided = MPI_THREAD_SINGLE;
  detail::check_mpi(MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &provided), "MPI_Init_thread");
  if (provided < MPI_THREAD_FUNNELED) {
    MPI_Finalize();
    throw Error(Category::environment, "MPI_Init_thread", "this MPI library does not allow threads beside MPI calls",
                "use an MPI library built with thread support");
  }
  return true;
}

}  // namespace

MpiEnvironment::MpiEnvironment(int& argc, char**& argv) : owns_(start(&argc, &argv)) {}
MpiEnvironment::MpiEnvironment() : owns_(start(nullptr, nullptr)) {}
MpiEnvironment::~MpiEnvironment() {
  if (owns_ && detail::mpi_is_running()) MPI_Finalize();
}

}  // namespace tempera
