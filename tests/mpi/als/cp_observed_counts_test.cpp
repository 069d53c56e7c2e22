#include <gtest/gtest.h>

#include "distributed/als/cp_apr.hpp"
#include "tests/mpi/als/observed_cells.hpp"

namespace tempera {
namespace {

using test::cell_of;
using test::observed;
using test::options_for;
using test::planted_positive;
using test::spread;

TEST(CpObservedCounts, DevianceIsThatOfTheObservedCellsAndNeverRises) {
  const Communicator world(MPI_COMM_WORLD);
  const std::vector<Index> shape{12, 11, 10};
  KruskalTensor truth = planted_positive(shape, 2, 15);
  const SparseTensor tensor = observed(test::count_draws(truth, 6), 0.4, 9);
  const auto tensors = spread(world, tensor);
  for (CountSolver solver : {CountSolver::newton, CountSolver::multiplicative}) {
    CpOptions options = options_for(2, 150, 1e-12);
    options.count_solver = solver;
    std::vector<double> deviances;
    CpObserver observer;
    observer.progress = [&](const CpStep& step) { deviances.push_back(step.deviance.value()); };
    const CpResult result = cp_apr(*tensors, options, observer);
    for (std::size_t k = 1; k < deviances.size(); ++k) EXPECT_LE(deviances[k], deviances[k - 1] * (1 + 1e-11));
    const KruskalTensor model = test::gathered(*tensors, result);
    double deviance = 0, expected = 0, counted = 0;
    for (std::size_t k = 0; k < static_cast<std::size_t>(tensor.nonzeros()); ++k) {
      const double x = tensor.values()[k], m = model(cell_of(tensor, k));
      deviance += 2 * ((x > 0 ? x * std::log(x / m) : 0) - x + m);
      expected += m;
      counted += x;
    }
    EXPECT_NEAR(result.deviance.value(), deviance, 1e-9 * deviance);
    EXPECT_NEAR(expected, counted, (solver == CountSolver::newton ? 1e-6 : 1e-2) * counted)
        << "at the optimum the observed cells hold what is expected there";
    EXPECT_GE(test::factor_match_score(truth, model), 0.9);
    const CpResult alone = cp_apr(*spread(Communicator::self(), tensor), options);
    EXPECT_NEAR(result.deviance.value(), alone.deviance.value(), 1e-9 * deviance);
  }
}

// A table of counts with one cell unknown: independence of the others, fitted by iterative proportional fitting.
TEST(CpObservedCounts, RankOneIsQuasiIndependence) {
  const Communicator world(MPI_COMM_WORLD);
  const double counts[3][3] = {{12, 30, 0}, {5, 9, 21}, {8, 17, 40}};  // (0, 2) is not observed
  SparseTensor table({3, 3});
  double a[3] = {1, 1, 1}, b[3] = {1, 1, 1};
  const auto seen = [](int i, int j) { return !(i == 0 && j == 2); };
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j)
      if (seen(i, j)) table.append(std::vector<Index>{i, j}, counts[i][j]);
  for (int pass = 0; pass < 500; ++pass)
    for (int side = 0; side < 2; ++side)
      for (int i = 0; i < 3; ++i) {
        double count = 0, sum = 0;
        for (int j = 0; j < 3; ++j) {
          if (side == 0 ? !seen(i, j) : !seen(j, i)) continue;
          count += side == 0 ? counts[i][j] : counts[j][i];
          sum += side == 0 ? b[j] : a[j];
        }
        (side == 0 ? a : b)[i] = count / sum;
      }
  const auto tensors = spread(world, table);
  const KruskalTensor model = test::gathered(*tensors, cp_apr(*tensors, options_for(1, 500, 1e-15)));
  for (Index i = 0; i < 3; ++i)
    for (Index j = 0; j < 3; ++j)
      EXPECT_NEAR(model(std::vector<Index>{i, j}), a[i] * b[j], 1e-5 * a[i] * b[j]) << i << "," << j;
}

}  // namespace
}  // namespace tempera
