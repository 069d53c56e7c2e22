#include "core/gaussian_process/kernel.hpp"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>
#include <string>

#include "core/base/random_stream.hpp"

namespace tempera {
namespace {

Eigen::MatrixXd random_points(Eigen::Index rows, Eigen::Index columns, Index which) {
  RandomStream stream(3, "kernel-test", {which});
  return Eigen::MatrixXd::NullaryExpr(rows, columns, [&] { return stream.uniform(); });
}

/// Three features, the last two of one group.
KernelPointer ard(KernelShape shape) {
  return stationary_kernel(shape, {0, 1, 1}, {"a", "b"});
}

double value(const Kernel& kernel, const Eigen::VectorXd& theta, const Eigen::MatrixXd& a, const Eigen::MatrixXd& b) {
  Eigen::MatrixXd result(1, 1);
  kernel.evaluate(theta, a, b, result);
  return result(0, 0);
}

TEST(Kernels, HaveTheirClosedForms) {
  Eigen::MatrixXd a(1, 3), b(1, 3);
  a << 0.1, 0.2, 0.7;
  b << 0.4, 0.1, 0.9;
  Eigen::VectorXd theta(3);
  theta << std::log(0.5), std::log(0.2), std::log(1.5);
  const double r2 = 0.09 / 0.25 + (0.01 + 0.04) / 0.04, r = std::sqrt(r2);
  const Eigen::VectorXd scales = theta.head(2);
  EXPECT_NEAR(value(*ard(KernelShape::matern12), scales, a, b), std::exp(-r), 1e-15);
  EXPECT_NEAR(value(*ard(KernelShape::matern32), scales, a, b), (1 + std::sqrt(3) * r) * std::exp(-std::sqrt(3) * r),
              1e-15);
  EXPECT_NEAR(value(*ard(KernelShape::matern52), scales, a, b),
              (1 + std::sqrt(5) * r + 5 * r2 / 3) * std::exp(-std::sqrt(5) * r), 1e-15);
  EXPECT_NEAR(value(*ard(KernelShape::rbf), scales, a, b), std::exp(-r2 / 2), 1e-15);
  EXPECT_NEAR(value(*ard(KernelShape::hamming), scales, a, b), std::exp(-r2), 1e-15);
  EXPECT_NEAR(value(*ard(KernelShape::rational_quadratic), theta, a, b), std::pow(1 + r2 / 3, -1.5), 1e-15);
}

struct Case {
  std::string name;
  KernelPointer kernel;
};

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const auto& name : {"matern12", "matern32", "matern52", "rbf", "rational-quadratic", "hamming"})
    all.push_back({name, ard(kernel_shape(name))});
  const KernelPointer first = scaled(ard(KernelShape::matern52)), second = ard(KernelShape::rational_quadratic);
  all.push_back({"scaled", first});
  all.push_back({"left out", stationary_kernel(KernelShape::rbf, {0, -1, 1}, {"a", "b"})});
  all.push_back({"sum", sum_of({first, scaled(second)})});
  all.push_back({"product", scaled(product_of({ard(KernelShape::matern32), second, first}))});
  return all;
}

class EveryKernel : public testing::TestWithParam<Case> {
 protected:
  const Kernel& kernel() const { return *GetParam().kernel; }
  Eigen::VectorXd theta() const {
    RandomStream stream(4, "kernel-test-theta");
    return Eigen::VectorXd::NullaryExpr(std::ssize(kernel().parameters()), [&] { return 0.5 * stream.normal() - 0.5; });
  }
};

TEST_P(EveryKernel, IsSymmetricAndPositiveDefiniteWithItsVarianceOnTheDiagonal) {
  const Eigen::MatrixXd points = random_points(30, 3, 0);
  Eigen::MatrixXd k(30, 30);
  kernel().evaluate(theta(), points, points, k);
  EXPECT_LT((k - k.transpose()).cwiseAbs().maxCoeff(), 1e-15 * k(0, 0));
  EXPECT_LT((k.diagonal().array() / kernel().variance(theta()) - 1).abs().maxCoeff(), 1e-14);
  EXPECT_GT(Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(k).eigenvalues().minCoeff(), -1e-12 * k(0, 0));
}

TEST_P(EveryKernel, GivesTheSameBitsInAnyBlock) {
  const Eigen::MatrixXd a = random_points(67, 3, 0), b = random_points(5, 3, 1);
  Eigen::MatrixXd whole(67, 5), part(3, 2);
  kernel().evaluate(theta(), a, b, whole);
  kernel().evaluate(theta(), a.middleRows(62, 3), b.middleRows(2, 2), part);
  EXPECT_EQ((part - whole.block(62, 2, 3, 2)).cwiseAbs().maxCoeff(), 0);
}

TEST_P(EveryKernel, HasTheGradientThatDifferencesTell) {
  const Eigen::MatrixXd a = random_points(6, 3, 0), b = random_points(4, 3, 1), weights = random_points(6, 4, 2);
  const auto sum = [&](const Eigen::VectorXd& at) {
    Eigen::MatrixXd k(6, 4);
    kernel().evaluate(at, a, b, k);
    return k.cwiseProduct(weights).sum();
  };
  Eigen::VectorXd gradient = Eigen::VectorXd::Ones(theta().size());  // it adds
  kernel().add_gradient(theta(), a, b, weights, gradient);
  for (Eigen::Index t = 0; t < gradient.size(); ++t) {
    constexpr double kStep = 1e-5;
    const Eigen::VectorXd step = kStep * Eigen::VectorXd::Unit(gradient.size(), t);
    EXPECT_NEAR(gradient[t] - 1, (sum(theta() + step) - sum(theta() - step)) / (2 * kStep), 1e-8) << t;
  }
}

TEST_P(EveryKernel, HasTheInputGradientThatDifferencesTell) {
  const Eigen::MatrixXd x = random_points(1, 3, 0), b = random_points(7, 3, 1), weights = random_points(7, 2, 2);
  const auto sums = [&](const Eigen::MatrixXd& at) {
    Eigen::MatrixXd k(1, 7);
    kernel().evaluate(theta(), at, b, k);
    return Eigen::MatrixXd(k * weights);
  };
  Eigen::MatrixXd gradient = Eigen::MatrixXd::Ones(3, 2);
  kernel().add_input_gradient(theta(), x, b, weights, gradient);
  for (Eigen::Index f = 0; f < 3; ++f) {
    constexpr double kStep = 1e-6;
    Eigen::MatrixXd right = x, left = x;
    right(0, f) += kStep;
    left(0, f) -= kStep;
    const Eigen::MatrixXd difference = (sums(right) - sums(left)) / (2 * kStep);
    for (Eigen::Index q = 0; q < 2; ++q) EXPECT_NEAR(gradient(f, q) - 1, difference(0, q), 1e-7) << f;
  }
}

TEST_P(EveryKernel, ContractsACovarianceByItsLowerTriangle) {
  const Eigen::MatrixXd points = random_points(150, 3, 0), raw = random_points(150, 150, 1);
  const Eigen::MatrixXd weights = raw + raw.transpose();
  Eigen::MatrixXd lower = weights.triangularView<Eigen::Lower>(), k(150, 150), expected_k(150, 150);
  Eigen::VectorXd gradient = Eigen::VectorXd::Zero(theta().size()), expected = gradient;
  add_covariance_gradient(kernel(), theta(), points, lower, gradient);
  kernel().add_gradient(theta(), points, points, weights, expected);
  EXPECT_LT((gradient - expected).norm(), 1e-11 * expected.norm());
  covariance(kernel(), theta(), points, k);
  kernel().evaluate(theta(), points, points, expected_k);
  EXPECT_EQ(Eigen::MatrixXd((k - expected_k).triangularView<Eigen::Lower>()).cwiseAbs().maxCoeff(), 0);
}

INSTANTIATE_TEST_SUITE_P(All, EveryKernel, testing::ValuesIn(cases()), [](const auto& one) {
  std::string name = one.param.name;
  for (char& letter : name)
    if (letter == '-' || letter == ' ') letter = '_';
  return name;
});

}  // namespace
}  // namespace tempera
