#include "core/gaussian_process/posterior_path.hpp"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>

#include "core/gaussian_process/exact_gp.hpp"

namespace tempera {
namespace {

Eigen::MatrixXd random_points(Eigen::Index rows, Index which) {
  RandomStream stream(10, "posterior-path-test", {which});
  return Eigen::MatrixXd::NullaryExpr(rows, 2, [&] { return stream.uniform(); });
}

ExactGp process(double noise) {
  GpModel model{scaled(stationary_kernel(KernelShape::matern52, {0, 1}, {"a", "b"})), Eigen::VectorXd(3), noise, 0.3};
  model.theta << 0.1, std::log(0.3), std::log(0.6);
  const Eigen::MatrixXd x = random_points(15, 0);
  return {model, x, (5 * x.col(0).array()).sin() + x.col(1).array()};
}

TEST(PosteriorPath, SpectraAreThoseOfTheKernels) {
  constexpr Index kCount = 200'000;
  const KernelPointer plain = stationary_kernel(KernelShape::matern32, {0, 1}, {"a", "b"});
  const KernelPointer second = scaled(stationary_kernel(KernelShape::rational_quadratic, {0, 0}, {"ab"}));
  std::vector<KernelPointer> kernels{plain, second, product_of({plain, second}), sum_of({scaled(plain), second})};
  for (const char* name : {"matern12", "matern52", "rbf", "hamming"})
    kernels.push_back(stationary_kernel(kernel_shape(name), {0, 1}, {"a", "b"}));
  const Eigen::MatrixXd a = random_points(1, 1), b = random_points(1, 2);
  for (const KernelPointer& kernel : kernels) {
    const Eigen::VectorXd theta = Eigen::VectorXd::Constant(std::ssize(kernel->parameters()), -0.8);
    RandomStream stream(11, "posterior-path-spectra");
    const Eigen::MatrixXd frequencies = kernel->frequencies(theta, kCount, stream);
    const double mean = ((a - b) * frequencies).array().cos().mean();
    Eigen::MatrixXd k(1, 1);
    kernel->evaluate(theta, a, b, k);
    EXPECT_NEAR(mean, k(0, 0) / kernel->variance(theta), 5 / std::sqrt(2.0 * kCount));
  }
}

TEST(PosteriorPath, GoesThroughTheDataWithoutNoise) {
  const ExactGp gp = process(0);
  const auto path = PosteriorPath::draw(gp, RandomStream(1, "path"));
  EXPECT_LT((path->values(gp.points()) - gp.values()).cwiseAbs().maxCoeff(), 1e-3);
}

TEST(PosteriorPath, HasTheGradientThatDifferencesTell) {
  const auto path = PosteriorPath::draw(process(1e-2), RandomStream(1, "path"));
  const Eigen::MatrixXd at = random_points(1, 3);
  Eigen::VectorXd gradient(2);
  EXPECT_NEAR(path->value_with_gradient(at, gradient), path->values(at)[0], 1e-12);
  for (Eigen::Index f = 0; f < 2; ++f) {
    constexpr double kStep = 1e-5;
    Eigen::MatrixXd both(2, 2);
    both << at, at;
    both(0, f) += kStep;
    both(1, f) -= kStep;
    const Eigen::VectorXd values = path->values(both);
    EXPECT_NEAR(gradient[f], (values[0] - values[1]) / (2 * kStep), 1e-5);
  }
}

TEST(PosteriorPath, HasTheMomentsOfThePosterior) {
  constexpr int kPaths = 4000;
  const ExactGp gp = process(1e-2);
  const Eigen::MatrixXd at = random_points(4, 4);
  Eigen::VectorXd mean;
  Eigen::MatrixXd covariance, draws(4, kPaths);
  gp.predict_jointly(at, mean, covariance);
  for (int k = 0; k < kPaths; ++k)
    draws.col(k) = PosteriorPath::draw(gp, RandomStream(2, "path", {k}), 256)->values(at);
  const Eigen::VectorXd found = draws.rowwise().mean();
  const Eigen::MatrixXd centred = draws.colwise() - found;
  const Eigen::MatrixXd moments = centred * centred.transpose() / kPaths;
  for (Eigen::Index i = 0; i < 4; ++i) {
    EXPECT_NEAR(found[i], mean[i], 5 * std::sqrt(covariance(i, i) / kPaths));
    for (Eigen::Index j = 0; j < 4; ++j)
      EXPECT_NEAR(moments(i, j), covariance(i, j), 6 * std::sqrt(2 * covariance(i, i) * covariance(j, j) / kPaths));
  }
}

}  // namespace
}  // namespace tempera
