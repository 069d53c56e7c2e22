// Factors a tensor that lies in this program's memory, on this program's communicator.
#include <mpi.h>

#include <cstdio>

#include "core/tensor/sparse_tensor.hpp"
#include "distributed/als/cp_als.hpp"
#include "distributed/tensor/distributed_tensor.hpp"

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  double fit = 0;
  {
    const tempera::Communicator ranks(MPI_COMM_WORLD);
    // Every rank brings its own nonzeros, here of a rank-one tensor: value (i + 1)(j + 1)(k + 1).
    tempera::SparseTensor mine({4, 5, 6});
    for (tempera::Index i = ranks.rank(); i < 4; i += ranks.size())
      for (tempera::Index j = 0; j < 5; ++j)
        for (tempera::Index k = 0; k < 6; ++k)
          mine.append(std::vector<tempera::Index>{i, j, k}, static_cast<double>((i + 1) * (j + 1) * (k + 1)));
    const std::vector<tempera::Index> shape = mine.shape();
    const auto tensor = tempera::distribute(ranks, shape, {mine});
    tempera::CpOptions options;
    options.rank = 1;
    fit = tempera::cp_als(*tensor, options).fit;
    if (ranks.is_root()) std::printf("fit %.6f\n", fit);
  }
  MPI_Finalize();
  return fit > 1 - 1e-7 ? 0 : 1;
}
