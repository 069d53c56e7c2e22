#include "core/gaussian_process/hyper_posterior.hpp"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/base/random_stream.hpp"

namespace tempera {
namespace {

Eigen::MatrixXd random_points(Eigen::Index rows, Eigen::Index columns, Index which) {
  RandomStream stream(6, "hyper-test", {which});
  return Eigen::MatrixXd::NullaryExpr(rows, columns, [&] { return stream.uniform(); });
}

KernelPointer ard(KernelShape shape = KernelShape::matern52) {
  return scaled(stationary_kernel(shape, {0, 1}, {"a", "b"}));
}

Eigen::VectorXd wave(const Eigen::MatrixXd& x) {
  return (5 * x.col(0).array()).sin() + x.col(1).array().square() - 0.5;
}

TEST(HyperPosterior, IsPriorAndEvidenceWithTheirGradients) {
  for (const bool fixed : {false, true})
    for (const KernelShape shape : {KernelShape::matern52, KernelShape::rational_quadratic}) {
      GpPriors priors;
      priors.length_scale = {std::log(0.4), 0.7};  // the step of the differences is in its units
      priors.noise = {-3, 1};
      if (fixed) priors.fixed_noise = 0.05;
      const Eigen::MatrixXd x = random_points(80, 2, 0);
      HyperPosterior posterior(ard(shape), priors, x, wave(x));
      const auto size = static_cast<std::size_t>(posterior.dimension());
      EXPECT_EQ(size, 3u + (fixed ? 0 : 1) + (shape == KernelShape::rational_quadratic ? 1 : 0));
      RandomStream stream(7, "hyper-test-u");
      std::vector<double> u(size), reference(size), likelihood(size);
      for (double& value : u) value = 0.7 * stream.normal();
      const LogDensity density = posterior.evaluate(u, reference, likelihood);
      EXPECT_NEAR(density.likelihood, ExactGp(posterior.model(u), x, wave(x)).log_evidence(), 1e-8);
      for (std::size_t i = 0; i < size; ++i) {
        constexpr double kStep = 1e-4;
        auto right = u, left = u;
        right[i] += kStep;
        left[i] -= kStep;
        const LogDensity up = posterior.evaluate(right, {}, {}), down = posterior.evaluate(left, {}, {});
        EXPECT_NEAR(reference[i], (up.reference - down.reference) / (2 * kStep), 1e-7);
        EXPECT_NEAR(likelihood[i], (up.likelihood - down.likelihood) / (2 * kStep),
                    1e-5 * std::max(1.0, std::abs(likelihood[i])))
            << i;
      }
    }
}

/// One length scale and the amplitude, no constant.
HyperPosterior of_two(const GpPriors& priors, const Eigen::MatrixXd& x, const Eigen::VectorXd& y) {
  return {scaled(stationary_kernel(KernelShape::matern52, {0, 0}, {"both"})), priors, x, y};
}

TEST(HyperPosterior, DrawsHaveTheMomentsOfTheDensityOnAGrid) {
  GpPriors priors;
  priors.fixed_noise = 0.1;
  priors.constant = 0;
  const Eigen::MatrixXd x = random_points(8, 2, 1);
  HyperPosterior posterior = of_two(priors, x, wave(x));
  constexpr int kCells = 200;
  double sum = 0;
  Eigen::Vector2d mean = Eigen::Vector2d::Zero(), square = mean;
  for (int i = 0; i < kCells; ++i)
    for (int j = 0; j < kCells; ++j) {
      const std::vector<double> u{-5 + 10 * (i + 0.5) / kCells, -5 + 10 * (j + 0.5) / kCells};
      const LogDensity density = posterior.evaluate(u, {}, {});
      const double weight = std::exp(density.reference + density.likelihood);
      const Eigen::Vector2d at(u[0], u[1]);
      sum += weight;
      mean += weight * at;
      square += weight * at.cwiseProduct(at);
    }
  mean /= sum;
  const Eigen::Vector2d sd = (square / sum - mean.cwiseProduct(mean)).cwiseSqrt();
  HyperFitOptions options;
  options.draws = 4000;
  options.chains = 4;
  options.warm_up = 120;
  const HyperFit fit = fit_hyperparameters(posterior, options, 1);
  ASSERT_EQ(fit.draws.size(), 4000u);
  for (std::size_t k = 0; k < 2; ++k) {
    double first = 0, second = 0;
    for (const auto& draw : fit.draws) {
      first += draw[k] / 4000;
      second += draw[k] * draw[k] / 4000;
    }
    const auto at = static_cast<Eigen::Index>(k);
    EXPECT_NEAR(first, mean[at], 0.1 * sd[at]) << k;  // about five errors
    EXPECT_NEAR(std::sqrt(second - first * first), sd[at], 0.1 * sd[at]) << k;
  }
}

TEST(HyperPosterior, ItsModeIsHigherThanAllDrawsAndTheEvidenceHasItsOwn) {
  const Eigen::MatrixXd x = random_points(30, 2, 2);
  HyperPosterior posterior(ard(), {}, x, wave(x));
  HyperFitOptions options;
  const HyperFit fit = fit_hyperparameters(posterior, options, 1);
  EXPECT_EQ(fit.draws.size(), 16u);
  for (const auto& draw : fit.draws) {
    const LogDensity density = posterior.evaluate(draw, {}, {});
    EXPECT_LT(density.reference + density.likelihood, fit.log_density);
  }
  options.method = HyperMethod::map;
  EXPECT_EQ(fit_hyperparameters(posterior, options, 1).draws.at(0), fit.mode);
  options.method = HyperMethod::mle;
  const HyperFit evidence = fit_hyperparameters(posterior, options, 1);
  EXPECT_GT(posterior.evaluate(evidence.mode, {}, {}).likelihood, posterior.evaluate(fit.mode, {}, {}).likelihood);
}

/// Simulation-based calibration (Talts et al. 2018): ranks of the truth among draws are uniform.
TEST(HyperPosterior, IsCalibrated) {
  constexpr int kTruths = 200, kDraws = 15, kBins = 4;
  GpPriors priors;
  priors.noise = {-2, 0.5};
  priors.constant = 0;
  std::vector<std::vector<int>> counts(3, std::vector<int>(kBins));
  for (int truth = 0; truth < kTruths; ++truth) {
    RandomStream stream(8, "hyper-calibration", {truth});
    const Eigen::MatrixXd x = random_points(12, 2, 100 + truth);
    HyperPosterior prior = of_two(priors, x, Eigen::VectorXd::Zero(12));
    std::vector<double> u(3);
    prior.sample_reference(stream, u);
    const GpModel model = prior.model(u);
    Eigen::MatrixXd k(12, 12);
    model.kernel->evaluate(model.theta, x, x, k);
    k.diagonal().array() += model.noise;
    const Eigen::VectorXd z = Eigen::VectorXd::NullaryExpr(12, [&] { return stream.normal(); });
    HyperPosterior posterior = of_two(priors, x, k.llt().matrixL() * z);
    HyperFitOptions options;
    options.draws = kDraws;
    options.chains = 1;
    options.thin = 6;
    options.starts = 2;
    const HyperFit fit = fit_hyperparameters(posterior, options, static_cast<std::uint64_t>(truth));
    for (std::size_t i = 0; i < 3; ++i) {
      const auto rank = std::count_if(fit.draws.begin(), fit.draws.end(), [&](const auto& d) { return d[i] < u[i]; });
      ++counts[i][static_cast<std::size_t>(rank) * kBins / (kDraws + 1)];
    }
  }
  for (const auto& bins : counts) {
    double chi2 = 0;
    for (const int count : bins) chi2 += std::pow(count - kTruths / kBins, 2) / (kTruths / kBins);
    EXPECT_LT(chi2, 30.7);  // three degrees of freedom: 1e-6
  }
}

}  // namespace
}  // namespace tempera
