// The rows of a mode on several threads: no bit of a model depends on their number.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/base/random_stream.hpp"
#include "distributed/als/cp_apr.hpp"
#include "tests/support/distributed.hpp"

namespace tempera {
namespace {

/// Counts in a tensor with one long mode, so that a rank's rows make several pieces.
SparseTensor tall_counts() {
  const std::vector<Index> shape{9001, 30, 12};
  SparseTensor tensor(shape);
  RandomStream stream(3, "tall-counts", {});
  std::vector<Index> cell(3);
  for (Index i = 0; i < shape[0]; ++i)
    for (int k = 0; k < 4; ++k) {
      cell = {i, (i + static_cast<Index>(stream.uniform() * 9)) % shape[1], k * 3 + static_cast<Index>(i % 3)};
      tensor.append(cell, 1 + static_cast<double>(static_cast<int>(stream.uniform() * 4)));
    }
  return tensor;
}

/// All that a run leaves on this rank.
std::vector<double> bits_of(const CpResult& result) {
  std::vector<double> bits{result.fit, result.objective, result.kkt_violation, result.deviance.value_or(0)};
  bits.insert(bits.end(), result.weights.begin(), result.weights.end());
  for (const FactorMatrix& factor : result.factors)
    bits.insert(bits.end(), factor.storage().begin(), factor.storage().end());
  return bits;
}

class Threads : public testing::Test {
 protected:
  std::unique_ptr<DistributedTensor> spread(int threads, Missing missing = Missing::zero) const {
    DistributionOptions options;
    options.threads = threads;
    options.missing = missing;
    return distribute(world, counts.shape(), test::dealt(world, counts), options);
  }
  static CpOptions options(const std::vector<std::string>& constraints = {}, Solver solver = Solver::automatic) {
    CpOptions options;
    options.rank = 5;
    options.iterations = 2;
    options.tolerance = 0;
    options.constraints = parse_constraints(constraints, 3);
    options.solver = solver;
    return options;
  }
  /// Runs with one thread and with three; every rank compares its own rows.
  template <class Run>
  void expect_equal_bits(const std::string& what, Missing missing, const Run& run) const {
    const auto one = spread(1, missing), three = spread(3, missing);
    EXPECT_EQ(three->threads(), 3);
    EXPECT_TRUE(bits_of(run(*three)) == bits_of(run(*one))) << what;
  }

  Communicator world{MPI_COMM_WORLD};
  SparseTensor counts = tall_counts();
};

TEST_F(Threads, ChangeNoBitOfLeastSquares) {
  struct Case {
    std::vector<std::string> constraints;
    Solver solver = Solver::automatic;
    double damping = 0;
  };
  for (const Case& each : {Case{},
                           {{}, Solver::automatic, 0.1},
                           {{"nonnegative"}, Solver::hals},
                           {{"nonnegative"}, Solver::bpp},
                           {{"nonnegative", "l1:0.1"}, Solver::hals},
                           {{"nonnegative"}, Solver::bpp, 0.1},
                           {{"nonnegative"}, Solver::admm},
                           {{"row-simplex@0"}},
                           {{"smooth:2@0"}},
                           {{"monotone@0"}},
                           {{"orthogonal@1"}}}) {
    CpOptions chosen = options(each.constraints, each.solver);
    chosen.damping = each.damping;
    const std::string name = each.constraints.empty() ? "unconstrained" : each.constraints.front();
    expect_equal_bits(name, Missing::zero, [&](const DistributedTensor& tensor) { return cp_als(tensor, chosen); });
  }
}

TEST_F(Threads, ChangeNoBitOfCounts) {
  for (const Missing missing : {Missing::zero, Missing::unobserved})
    for (const CountSolver solver : {CountSolver::newton, CountSolver::multiplicative}) {
      CpOptions chosen = options();
      chosen.count_solver = solver;
      expect_equal_bits("counts", missing, [&](const DistributedTensor& tensor) { return cp_apr(tensor, chosen); });
    }
}

TEST_F(Threads, ChangeNoBitOfAFitToObservedCells) {
  for (const std::vector<std::string>& constraints :
       {std::vector<std::string>{}, {"nonnegative"}, {"ridge:0.1", "nonnegative"}, {"box:-0.5,2"}}) {
    const CpOptions chosen = options(constraints);
    const std::string name = constraints.empty() ? "unconstrained" : constraints.front();
    expect_equal_bits(name, Missing::unobserved,
                      [&](const DistributedTensor& tensor) { return cp_als(tensor, chosen); });
  }
}

}  // namespace
}  // namespace tempera
