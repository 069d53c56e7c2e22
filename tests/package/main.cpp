// Factors a tensor, and a matrix, that lie in this program's memory, on this program's communicator.
#include <mpi.h>

#include <cmath>
#include <cstdio>

#include "core/tensor/sparse_tensor.hpp"
#include "distributed/als/cp_als.hpp"
#include "distributed/linalg/cholesky.hpp"
#include "distributed/tensor/distributed_tensor.hpp"

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  double fit = 0;
  bool factored = false;
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

    tempera::BlockCyclicMatrix matrix(tempera::BlacsGrid(ranks), 9, 9, 2);
    matrix.fill([](tempera::Index i, tempera::Index j) { return i == j ? 4.0 : 0.0; });
    factored = tempera::cholesky(matrix) == 0 && std::abs(tempera::log_determinant(matrix) - 9 * std::log(4.0)) < 1e-12;
  }
  MPI_Finalize();
  return factored && fit > 1 - 1e-7 ? 0 : 1;
}
