#include "distributed/linalg/factorizations.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/mpi/linalg/layouts.hpp"

namespace tempera::test {
namespace {

/// Extents beside n that make a matrix square, tall and wide.
std::vector<Index> others(Index n) {
  return {n, n / 3, n + 19};
}

double loss_of_orthonormality(const Eigen::MatrixXd& q) {
  return q.cols() == 0 ? 0 : (q.transpose() * q - Eigen::MatrixXd::Identity(q.cols(), q.cols())).norm();
}

Eigen::VectorXd as_vector(const std::vector<double>& values) {
  return Eigen::Map<const Eigen::VectorXd>(values.data(), std::ssize(values));
}

TEST(DistributedSolve, EqualsTheSerialOne) {
  on_all_ranks([](const Communicator& world) {
    for_each_layout(world, [&](const BlacsGrid& grid, Index n, Index block) {
      // Far from singular, but with pivots off the diagonal.
      Eigen::MatrixXd a = random_matrix(n, n);
      for (Index i = 0; i < n; ++i) a((i + 1) % n, i) += static_cast<double>(n);
      const Eigen::MatrixXd right = random_matrix(n, 3);
      BlockCyclicMatrix x = distribute_replicated(grid, right, block);
      solve(distribute_replicated(grid, a, block), x);
      EXPECT_LT(relative_error(replicate(x), n == 0 ? right : Eigen::MatrixXd(a.partialPivLu().solve(right))),
                kTolerance);
    });
  });
}

TEST(DistributedSolve, NamesTheZeroPivotOfASingularMatrix) {
  on_all_ranks([](const Communicator& world) {
    for_each_layout(world, [&](const BlacsGrid& grid, Index n, Index block) {
      if (n < 2) return;
      Eigen::MatrixXd a = Eigen::MatrixXd::Identity(n, n);
      a.col(n - 1).setZero();
      BlockCyclicMatrix x = distribute_replicated(grid, random_matrix(n, 1), block);
      try {
        solve(distribute_replicated(grid, a, block), x);
        ADD_FAILURE() << "solved";
      } catch (const Error& error) {
        EXPECT_EQ(error.category(), Category::numerical);
        EXPECT_EQ(error.what_is_wrong(),
                  "the matrix is singular: pivot " + std::to_string(n) + " of " + std::to_string(n) + " is zero");
      }
    });
  });
}

TEST(DistributedQr, IsAnOrthonormalBasisTimesTheSerialTriangle) {
  on_all_ranks([](const Communicator& world) {
    for_each_layout(world, [&](const BlacsGrid& grid, Index m, Index block) {
      for (const Index n : others(m)) {
        const Eigen::MatrixXd a = random_matrix(m, n);
        const QrFactors factors = qr(distribute_replicated(grid, a, block));
        const Eigen::MatrixXd q = replicate(factors.q);
        const Eigen::MatrixXd r = replicate(factors.r);
        const Index k = std::min(m, n);
        ASSERT_EQ(q.cols(), k);
        ASSERT_EQ(r.rows(), k);
        EXPECT_LT(loss_of_orthonormality(q), kTolerance);
        EXPECT_LT(relative_error(q * r, a), kTolerance);
        if (k == 0) continue;
        const Eigen::MatrixXd serial = a.householderQr().matrixQR().topRows(k).triangularView<Eigen::Upper>();
        EXPECT_LT(relative_error(r.cwiseAbs(), serial.cwiseAbs()), kTolerance);
        EXPECT_EQ(Eigen::MatrixXd(r.triangularView<Eigen::StrictlyLower>()), Eigen::MatrixXd::Zero(k, n));
      }
    });
  });
}

TEST(DistributedEigen, ValuesEqualTheSerialOnesAndVectorsDiagonalise) {
  on_all_ranks([](const Communicator& world) {
    for_each_layout(world, [&](const BlacsGrid& grid, Index n, Index block) {
      // Indefinite; singular with many equal values; diagonal.
      Eigen::MatrixXd low_rank = Eigen::MatrixXd::Identity(n, n);
      if (n > 0) low_rank -= random_matrix(n, 2) * random_matrix(n, 2).transpose();
      const Eigen::MatrixXd diagonal = random_matrix(n, 1).col(0).asDiagonal();
      for (const Eigen::MatrixXd& a : {random_symmetric(n), low_rank, diagonal}) {
        const SymmetricEigen eigen = symmetric_eigen(distribute_replicated(grid, lower_only(a), block));
        const Eigen::MatrixXd vectors = replicate(eigen.vectors);
        const Eigen::VectorXd values = as_vector(eigen.values);
        EXPECT_LT(loss_of_orthonormality(vectors), kTolerance);
        EXPECT_LT(relative_error(vectors * values.asDiagonal() * vectors.transpose(), a), kTolerance);
        if (n == 0) continue;
        EXPECT_LT(relative_error(values, Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(a).eigenvalues()), kTolerance);
      }
    });
  });
}

TEST(DistributedSingularValues, EqualTheSerialOnesAndReconstruct) {
  on_all_ranks([](const Communicator& world) {
    for_each_layout(world, [&](const BlacsGrid& grid, Index m, Index block) {
      for (const Index n : others(m)) {
        Eigen::MatrixXd singular = random_matrix(m, n);
        if (m > 0 && n > 1) singular.col(n - 1) = singular.col(0);
        for (const Eigen::MatrixXd& a : {random_matrix(m, n), singular}) {
          if (m != n && a == singular) continue;  // once is enough: it takes long
          const SingularValues found = singular_values(distribute_replicated(grid, a, block));
          const Eigen::MatrixXd u = replicate(found.u);
          const Eigen::MatrixXd vt = replicate(found.vt);
          const Eigen::VectorXd values = as_vector(found.values);
          EXPECT_LT(loss_of_orthonormality(u), kTolerance);
          EXPECT_LT(loss_of_orthonormality(vt.transpose()), kTolerance);
          EXPECT_LT(relative_error(u * values.asDiagonal() * vt, a), kTolerance) << m << " x " << n;
          if (a.size() == 0) continue;
          const Eigen::VectorXd serial = Eigen::BDCSVD<Eigen::MatrixXd>(a).singularValues();
          EXPECT_LT(relative_error(values, serial), kTolerance) << m << " x " << n;
        }
      }
    });
  });
}

TEST(DistributedFactorizations, NumbersThatAreNoneAreRefused) {
  on_all_ranks([](const Communicator& world) {
    const BlacsGrid grid(world);
    Eigen::MatrixXd a = random_symmetric(20);
    a(17, 3) = std::numeric_limits<double>::quiet_NaN();
    EXPECT_THROW(symmetric_eigen(distribute_replicated(grid, a, 8)), Error);
    EXPECT_THROW(singular_values(distribute_replicated(grid, a, 8)), Error);
    BlockCyclicMatrix x(grid, 5, 1, 2);
    EXPECT_THROW(symmetric_eigen(BlockCyclicMatrix(grid, 4, 5, 2)), Error);
    EXPECT_THROW(solve(BlockCyclicMatrix(grid, 4, 4, 2), x), Error);
  });
}

}  // namespace
}  // namespace tempera::test
