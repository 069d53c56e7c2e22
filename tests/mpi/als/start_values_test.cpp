#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <Eigen/Dense>

#include <cmath>

#include "core/base/error.hpp"
#include "core/base/random_stream.hpp"
#include "core/io/npy.hpp"
#include "distributed/als/cp_als.hpp"
#include "distributed/als/cp_apr.hpp"
#include "distributed/als/leading_vectors.hpp"
#include "tests/mpi/als/observed_cells.hpp"
#include "tests/support/data.hpp"
#include "tests/support/distributed.hpp"
#include "tests/support/mpi.hpp"

namespace tempera {
namespace {

using Matrix = Eigen::MatrixXd;

/// The first `count` left singular vectors of an unfolding by a dense SVD, and its singular values.
Matrix reference_vectors(const DenseTensor& tensor, int mode, Index count, Eigen::VectorXd& values) {
  const Index rows = tensor.shape()[static_cast<std::size_t>(mode)];
  const auto cells = static_cast<Index>(tensor.values().size());
  Matrix unfolding(rows, cells / rows);
  std::vector<Index> next(static_cast<std::size_t>(rows), 0), cell(tensor.shape().size(), 0);
  do {
    const Index i = cell[static_cast<std::size_t>(mode)];
    unfolding(i, next[static_cast<std::size_t>(i)]++) = tensor(cell);
  } while (next_cell(cell, tensor.shape()));
  const Eigen::BDCSVD<Matrix> svd(unfolding, Eigen::ComputeThinU);
  values = svd.singularValues();
  return svd.matrixU().leftCols(count);
}

/// Whole vectors on every rank.
Matrix whole(const DistributedTensor& tensor, int mode, const LeadingVectors& found) {
  const RowLayout& layout = tensor.rows(mode);
  std::vector<double> packed;
  for (Index k = 0; k < layout.owned_count; ++k) {
    const double* row = found.vectors.row(layout.owned_begin + k);
    packed.insert(packed.end(), row, row + found.vectors.columns());
  }
  const Communicator& ranks = tensor.grid().active_ranks();
  const auto values = ranks.all_gather(std::span<const double>(packed));
  const auto rows = ranks.all_gather(layout.owned_rows());
  Matrix all = Matrix::Zero(tensor.shape()[static_cast<std::size_t>(mode)], found.vectors.columns());
  for (std::size_t k = 0; k < rows.size(); ++k)
    for (Index r = 0; r < found.vectors.columns(); ++r)
      all(rows[k], r) = values[k * static_cast<std::size_t>(found.vectors.columns()) + static_cast<std::size_t>(r)];
  return all;
}

/// Sine of the largest angle between the spans.
double largest_sine(const Matrix& reference, const Matrix& found) {
  const Matrix rest = reference - found * (found.transpose() * reference);
  return Eigen::JacobiSVD<Matrix>(rest).singularValues()(0);
}

/// Components whose weights fall by `ratio`, each on a few rows, with noise on the cells they touch.
DenseTensor decaying(const std::vector<Index>& shape, double ratio, double noise) {
  KruskalTensor model;
  for (int r = 0; r < 6; ++r) model.weights.push_back(std::pow(ratio, r));
  model.factors = test::random_factors(shape, 6, 12);
  return test::planted(model, noise, 12);
}

TEST(LeadingVectors, SpanThatOfTheSingularVectorsWhereTheSpectrumFalls) {
  const Communicator world(MPI_COMM_WORLD);
  const std::vector<Index> shape{40, 30, 25};
  const DenseTensor tensor = decaying(shape, 0.3, 0.01);
  for (const bool sparse : {false, true})
    for (const auto& grid : test::grids_to_try(world.size(), shape)) {
      const auto spread =
          sparse ? test::distributed(world, test::every_cell(tensor), grid) : test::distributed(world, tensor, grid);
      if (!spread->active()) continue;
      for (int mode = 0; mode < 3; ++mode) {
        Eigen::VectorXd values;
        const Matrix reference = reference_vectors(tensor, mode, 3, values);
        const LeadingVectors found = leading_vectors(*spread, mode, 3, 1);
        ASSERT_EQ(std::ssize(found.squares), 3);
        const Matrix vectors = whole(*spread, mode, found);
        EXPECT_LE((vectors.transpose() * vectors - Matrix::Identity(3, 3)).norm(), 1e-12);
        EXPECT_LE(largest_sine(reference, vectors), 1e-2) << "mode " << mode;
        for (int r = 0; r < 3; ++r) {
          EXPECT_NEAR(std::sqrt(found.squares[static_cast<std::size_t>(r)]), values(r), 1e-3 * values(r));
        }
      }
    }
}

TEST(LeadingVectors, AreExactWhereTheSketchHoldsTheWholeRange) {
  const Communicator world(MPI_COMM_WORLD);
  const DenseTensor tensor = test::random_dense({9, 8, 7, 3}, 5);
  const auto spread = test::distributed(world, tensor);
  if (!spread->active()) return;
  for (int mode = 0; mode < 4; ++mode) {
    Eigen::VectorXd values;
    const Matrix reference = reference_vectors(tensor, mode, 2, values);
    const LeadingVectors found = leading_vectors(*spread, mode, 2, 3);
    EXPECT_LE(largest_sine(reference, whole(*spread, mode, found)), 1e-9) << "mode " << mode;
    EXPECT_NEAR(std::sqrt(found.squares[0]), values(0), 1e-10 * values(0));
  }
}

// More fibres than buckets: the power and Rayleigh–Ritz steps see a sketch of them.
TEST(LeadingVectors, AreCloseForMoreFibresThanBuckets) {
  const Communicator world(MPI_COMM_WORLD);
  const std::vector<Index> small{30, 25, 20}, large{30, 5000, 4000};
  const DenseTensor dense = decaying(small, 0.3, 0.01);
  SparseTensor sparse(large);
  std::vector<Index> cell(3, 0);
  do sparse.append(std::vector<Index>{cell[0], 197 * cell[1] + 3, 191 * cell[2] + 1}, dense(cell));
  while (next_cell(cell, small));
  const auto spread = test::distributed(world, sparse);
  if (!spread->active()) return;
  Eigen::VectorXd values;
  const Matrix reference = reference_vectors(dense, 0, 3, values);
  EXPECT_LE(largest_sine(reference, whole(*spread, 0, leading_vectors(*spread, 0, 3, 1))), 0.05);
}

TEST(LeadingVectors, DoNotDependOnTheNumberOfRanks) {
  const Communicator world(MPI_COMM_WORLD);
  const DenseTensor tensor = decaying({20, 16, 12}, 0.5, 0.05);
  Matrix first;
  for (int ranks = 1; ranks <= world.size(); ++ranks) {
    const Communicator group = world.split_independent(world.rank() < ranks ? 0 : 1, 0);
    std::vector<double> packed(60, 0.0);
    if (world.rank() < ranks) {
      const auto spread = test::distributed(group, tensor);
      const Matrix found = whole(*spread, 0, leading_vectors(*spread, 0, 3, 9));
      packed.assign(found.data(), found.data() + found.size());
    }
    world.broadcast(std::span<double>(packed), 0);
    const Matrix now = Eigen::Map<Matrix>(packed.data(), 20, 3);
    if (ranks == 1) first = now;
    EXPECT_LE((now - first).norm(), 1e-10) << ranks << " ranks";
  }
}

// Rank 5 on a mode of size 3, and data of rank 2: two singular vectors at most, the rest is random.
TEST(Nvecs, ColumnsThatTheDataDoNotHaveAreRandomAndTheFitIsThatOfAnyNumberOfRanks) {
  const Communicator world(MPI_COMM_WORLD);
  const DenseTensor tensor = test::planted({{2, 1}, test::random_factors({3, 8, 9}, 2, 4)}, 0, 0);
  CpOptions options;
  options.rank = 5;
  options.init = CpInit::nvecs;
  options.iterations = 4;
  options.tolerance = 0;
  for (const char* constraint : {"", "nonnegative", "box:-1,1"}) {
    options.constraints =
        *constraint == 0 ? std::vector<Constraint>() : parse_constraints(std::vector<std::string>{constraint}, 3);
    double first = 0;
    for (int ranks = 1; ranks <= world.size(); ++ranks) {
      const Communicator group = world.split_independent(world.rank() < ranks ? 0 : 1, 0);
      double objective = cp_als(*test::distributed(group, tensor), options).objective;
      objective = world.broadcast_value(objective, 0);
      if (ranks == 1) first = objective;
      EXPECT_NEAR(objective, first, 1e-8 * test::distributed(group, tensor)->norm_squared()) << constraint;
    }
  }
}

// Of such data every start finds the same model; sweeps: 62 to 163 from five random starts, 104 from here.
TEST(Nvecs, AminoAcidsReachTheirFitInNoMoreSweepsThanTheSlowestRandomStart) {
  TEMPERA_REQUIRE_DATA(path, "aminoacid-fluorescence/aminoacids.npy");
  const Communicator world(MPI_COMM_WORLD);
  const auto spread = test::distributed(world, read_npy(path));
  CpOptions options;
  options.rank = 3;
  options.tolerance = 1e-8;
  options.iterations = 1000;
  int slowest = 0;
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    options.seed = seed;
    slowest = std::max(slowest, cp_als(*spread, options).iterations);
  }
  options.init = CpInit::nvecs;
  const CpResult result = cp_als(*spread, options);
  EXPECT_LE(result.iterations, slowest);
  EXPECT_NEAR(result.fit, 0.97495148, 1e-7);
}

/// A model that every rank holds, as a start.
std::shared_ptr<const CpGivenStart> as_start(const KruskalTensor& model) {
  return std::make_shared<CpGivenStart>(CpGivenStart{
      [model] { return model.weights; },
      [model](int mode, std::span<const Index> rows, FactorMatrix& values) {
        for (Index i = 0; i < values.rows(); ++i)
          for (Index r = 0; r < values.columns(); ++r)
            values(i, r) = model.factors[static_cast<std::size_t>(mode)](rows[static_cast<std::size_t>(i)], r);
      }});
}

TEST(GivenStart, GoesOnWhereTheOtherRunEnded) {
  const Communicator world(MPI_COMM_WORLD);
  const DenseTensor tensor = test::planted({{3, 2, 1}, test::random_factors({9, 8, 7}, 3, 4)}, 0.3, 7);
  const auto spread = test::distributed(world, tensor);
  for (const char* constraint : {"", "nonnegative", "ridge:0.1", "orthogonal@1", "row-simplex@0"}) {
    SCOPED_TRACE(constraint);
    CpOptions options;
    options.rank = 3;
    options.tolerance = 0;
    options.iterations = 12;
    if (*constraint != 0) options.constraints = parse_constraints(std::vector<std::string>{constraint}, 3);
    const double longer = cp_als(*spread, options).objective;
    options.iterations = 8;
    const CpResult first = cp_als(*spread, options);
    options.init = CpInit::given;
    options.given = as_start(test::gathered(*spread, first));
    options.iterations = 4;
    const CpResult second = cp_als(*spread, options);
    // ADMM begins without its duals; HALS takes the components in the order in which the model lists them.
    const std::string name = constraint;
    const double tolerance = name == "row-simplex@0" ? 1e-2 : name == "nonnegative" ? 1e-6 : 1e-9;
    EXPECT_NEAR(second.objective, longer, tolerance * longer);
    EXPECT_LE(second.objective, first.objective * (1 + 1e-12));
    // A start from a file is the same with another seed.
    options.seed = 5;
    EXPECT_EQ(cp_als(*spread, options).objective, second.objective);
  }
}

TEST(GivenStart, OfCountsGoesOnWhereTheOtherRunEnded) {
  const Communicator world(MPI_COMM_WORLD);
  KruskalTensor means{{400, 200}, test::random_factors({9, 8, 7}, 2, 4)};
  for (auto& factor : means.factors)
    for (double& value : factor.storage()) value = std::abs(value);
  const auto spread = test::distributed(world, test::positive_cells(test::count_draws(means, 3)));
  CpOptions options;
  options.rank = 2;
  options.tolerance = 0;
  options.iterations = 9;
  const double longer = *cp_apr(*spread, options).deviance;
  options.iterations = 5;
  const CpResult first = cp_apr(*spread, options);
  options.init = CpInit::given;
  options.given = as_start(test::gathered(*spread, first));
  options.iterations = 4;
  EXPECT_NEAR(*cp_apr(*spread, options).deviance, longer, 1e-9 * longer);
}

TEST(GivenStart, OfObservedCellsGoesOnWhereTheOtherRunEnded) {
  const Communicator world(MPI_COMM_WORLD);
  const DenseTensor tensor = test::planted({{3, 2, 1}, test::random_factors({9, 8, 7}, 3, 4)}, 0.3, 7);
  const auto spread = test::spread(world, test::observed(tensor, 0.6, 3));
  for (const char* constraint : {"", "nonnegative", "ridge:0.1"}) {
    SCOPED_TRACE(constraint);
    CpOptions options = test::options_for(2, 12);
    if (*constraint != 0) options.constraints = parse_constraints(std::vector<std::string>{constraint}, 3);
    const double longer = cp_als(*spread, options).objective;
    options.iterations = 8;
    const CpResult first = cp_als(*spread, options);
    options.init = CpInit::given;
    options.given = as_start(test::gathered(*spread, first));
    options.iterations = 4;
    EXPECT_NEAR(cp_als(*spread, options).objective, longer, 1e-9 * longer);
  }
}

TEST(GivenStart, IsRefusedForSeveralStarts) {
  const Communicator world(MPI_COMM_WORLD);
  const auto spread = test::distributed(world, test::random_dense({3, 4, 5}, 1));
  CpOptions options;
  options.rank = 2;
  options.restarts = 3;
  options.init = CpInit::given;
  try {
    cp_als(*spread, options);
    ADD_FAILURE() << "accepted";
  } catch (const Error& error) {
    EXPECT_THAT(error.message(), testing::HasSubstr("--restarts: 3 starts from one file"));
  }
}

}  // namespace
}  // namespace tempera
