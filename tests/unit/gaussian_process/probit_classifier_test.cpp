#include "core/gaussian_process/probit_classifier.hpp"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>
#include <numbers>

namespace tempera {
namespace {

KernelPointer kernel() {
  return scaled(stationary_kernel(KernelShape::matern52, {0, 1}, {"a", "b"}));
}

GpModel model(double amplitude = 1.5, double constant = 0.5) {
  return {kernel(), Eigen::Vector3d(std::log(amplitude), std::log(0.3), std::log(0.6)), 0, constant};
}

Eigen::MatrixXd points(Eigen::Index count, std::uint64_t seed = 1) {
  RandomStream stream(seed, "points");
  return Eigen::MatrixXd::NullaryExpr(count, 2, [&] { return stream.uniform(); });
}

/// +1 to the right of a line, with some errors.
Eigen::VectorXd labels_of(const Eigen::MatrixXd& points) {
  RandomStream stream(5, "labels");
  Eigen::VectorXd labels(points.rows());
  for (Eigen::Index i = 0; i < points.rows(); ++i)
    labels[i] = (points(i, 0) + 0.3 * points(i, 1) > 0.6) == (stream.uniform() < 0.9) ? 1 : -1;
  return labels;
}

Eigen::MatrixXd prior(const GpModel& model, const Eigen::MatrixXd& points) {
  Eigen::MatrixXd k(points.rows(), points.rows());
  model.kernel->evaluate(model.theta, points, points, k);
  return k.array() + model.constant;
}

double phi(double z) {
  return 0.5 * std::erfc(-z / std::numbers::sqrt2);
}

TEST(ProbitClassifier, TheLogarithmOfPhiHoldsFarOut) {
  // By the continued fraction of Mills' ratio in decimals.
  EXPECT_NEAR(log_probit(-1).value, -1.8410216450092636, 1e-12);
  EXPECT_NEAR(log_probit(-8).value, -35.013437159914545, 1e-10);
  EXPECT_NEAR(log_probit(-30).value, -454.3212439563432, 1e-8);
  EXPECT_NEAR(log_probit(2).value, -0.023012909328963486, 1e-14);
  for (const double z : {-60.0, -25.5, -24.5, -8.0, -1.0, 0.0, 0.7, 4.0}) {
    const double step = 1e-4 * (1 + std::abs(z));
    EXPECT_NEAR(log_probit(z).slope, (log_probit(z + step).value - log_probit(z - step).value) / (2 * step),
                1e-6 * (1 + std::abs(z)))
        << z;
  }
}

TEST(ProbitClassifier, AtRestEachSiteGivesTheMomentsOfItsLabel) {
  const Eigen::MatrixXd x = points(30);
  const Eigen::VectorXd y = labels_of(x);
  for (const double amplitude : {0.5, 3.0, 30.0}) {
    const ProbitClassifier classifier(model(amplitude), x, y);
    for (Eigen::Index i = 0; i < 30; ++i) {
      const double precision = 1 / classifier.variance()[i] - classifier.sites().precision[i];
      const double centre = (classifier.mean()[i] / classifier.variance()[i] - classifier.sites().shift[i]) / precision;
      const double sd = 1 / std::sqrt(precision);
      double mass = 0, first = 0, second = 0;  // of the cavity times Φ, by quadrature
      for (int k = 0; k < 20000; ++k) {
        const double t = -10 + 20 * (k + 0.5) / 20000, f = centre + sd * t;
        const double weight = std::exp(-0.5 * t * t) * phi(y[i] * f);
        mass += weight;
        first += weight * f;
        second += weight * f * f;
      }
      const double mean = first / mass, variance = second / mass - mean * mean;
      EXPECT_NEAR(classifier.mean()[i], mean, 1e-4 * (1 + amplitude));
      EXPECT_NEAR(classifier.variance()[i], variance, 1e-3 * variance);
    }
    const ProbitClassifier again(model(amplitude), x, y,
                                 {Eigen::VectorXd::Constant(30, 0.3), Eigen::VectorXd::Constant(30, 0.5)});
    EXPECT_LT((again.mean() - classifier.mean()).norm(), 1e-4 * (1 + amplitude)) << "wherever it begins";
  }
}

TEST(ProbitClassifier, PredictionsAreThoseOfAProcessThatSawTheSites) {
  const Eigen::MatrixXd x = points(12), other = points(5, 9);
  const ProbitClassifier classifier(model(), x, labels_of(x));
  Eigen::MatrixXd side(12, 5), there(5, 5);
  model().kernel->evaluate(model().theta, x, other, side);
  model().kernel->evaluate(model().theta, other, other, there);
  side.array() += model().constant;
  there.array() += model().constant;
  const auto& [precision, shift] = classifier.sites();
  const Eigen::MatrixXd noisy = prior(model(), x) + Eigen::MatrixXd(precision.cwiseInverse().asDiagonal());
  const Eigen::VectorXd expected = side.transpose() * noisy.ldlt().solve(shift.cwiseQuotient(precision));
  const Eigen::MatrixXd covariance = there - side.transpose() * noisy.ldlt().solve(side);
  Eigen::VectorXd mean, variance, joint_mean;
  Eigen::MatrixXd joint;
  classifier.predict(other, mean, variance);
  classifier.predict_jointly(other, joint_mean, joint);
  EXPECT_LT((mean - expected).norm(), 1e-8);
  EXPECT_LT((joint_mean - mean).norm(), 1e-12);
  EXPECT_LT((joint - covariance).norm(), 1e-8);
  EXPECT_LT((variance - covariance.diagonal()).norm(), 1e-8);
}

// Two labels of one latent value.
TEST(ProbitClassifier, TheEvidenceIsNearQuadratureWhereThatIsPossible) {
  const Eigen::MatrixXd x = Eigen::MatrixXd::Constant(2, 2, 0.5);
  for (const double amplitude : {0.3, 1.0}) {
    const GpModel small = model(amplitude, 0.2);
    const double sd = std::sqrt(amplitude * amplitude + 0.2);
    for (const double second : {1.0, -1.0}) {
      double exact = 0;
      constexpr int kCells = 4000;
      for (int i = 0; i < kCells; ++i) {
        const double z = -8 + 16 * (i + 0.5) / kCells;
        exact +=
            std::exp(-0.5 * z * z) / std::sqrt(2 * std::numbers::pi) * phi(sd * z) * phi(second * sd * z) * 16 / kCells;
      }
      const ProbitClassifier classifier(small, x, Eigen::Vector2d(1, second));
      EXPECT_NEAR(std::exp(classifier.log_evidence()), exact, 0.02 * exact) << amplitude << " " << second;
      // And P(+1) at that point, given both: exactly one half where the labels differ.
      Eigen::VectorXd mean, variance;
      classifier.predict(x.topRows(1), mean, variance);
      if (second < 0) {
        EXPECT_NEAR(mean[0], 0, 1e-8);
      }
    }
  }
}

/// Probabilities by sampling the posterior of the latent values: importance of prior draws, three points.
TEST(ProbitClassifier, ProbabilitiesAreNearThoseOfMonteCarlo) {
  Eigen::MatrixXd x(4, 2);
  x << 0.1, 0.5, 0.4, 0.5, 0.8, 0.5, 0.6, 0.5;  // the last one is to be predicted
  const Eigen::Vector3d y(-1, -1, 1);
  const GpModel here = model(1.2, 0.3);
  const Eigen::MatrixXd l = (prior(here, x) + 1e-12 * Eigen::MatrixXd::Identity(4, 4)).llt().matrixL();
  RandomStream stream(3, "prior");
  double total = 0, positive = 0;
  for (int draw = 0; draw < 400000; ++draw) {
    const Eigen::VectorXd f = l * Eigen::VectorXd::NullaryExpr(4, [&] { return stream.normal(); });
    double weight = 1;
    for (Eigen::Index i = 0; i < 3; ++i) weight *= phi(y[i] * f[i]);
    total += weight;
    positive += weight * phi(f[3]);
  }
  const ProbitClassifier classifier(here, x.topRows(3), y);
  Eigen::VectorXd mean, variance;
  classifier.predict(x.bottomRows(1), mean, variance);
  // The sampling error is below 0.001.
  EXPECT_NEAR(phi(mean[0] / std::sqrt(1 + variance[0])), positive / total, 0.005);
  EXPECT_NEAR(classifier.log_evidence(), std::log(total / 400000), 0.01);
}

TEST(ProbitClassifier, GradientsEqualDifferences) {
  const Eigen::MatrixXd x = points(25);
  const Eigen::VectorXd y = labels_of(x);
  const GpModel here = model();
  const ProbitClassifier classifier(here, x, y);
  EvidenceGradient gradient{Eigen::VectorXd::Zero(3), 0, 0};
  classifier.log_evidence(&gradient);
  constexpr double kStep = 1e-4;
  for (Eigen::Index t = 0; t < 4; ++t) {
    const auto at = [&](double step) {
      GpModel moved = here;
      if (t < 3)
        moved.theta[t] += step;
      else
        moved.constant += step;
      return ProbitClassifier(moved, x, y).log_evidence();
    };
    const double expected = (at(kStep) - at(-kStep)) / (2 * kStep);
    EXPECT_NEAR(t < 3 ? gradient.theta[t] : gradient.constant, expected, 1e-4 * (1 + std::abs(expected))) << t;
  }
  const Eigen::MatrixXd point = points(1, 9);
  double mean = 0, variance = 0;
  Eigen::VectorXd mean_gradient(2), variance_gradient(2), means, variances;
  classifier.predict_with_gradient(point, mean, variance, mean_gradient, variance_gradient);
  for (Eigen::Index f = 0; f < 2; ++f) {
    Eigen::MatrixXd both = point.replicate(2, 1);
    both(0, f) += kStep;
    both(1, f) -= kStep;
    classifier.predict(both, means, variances);
    EXPECT_NEAR(mean_gradient[f], (means[0] - means[1]) / (2 * kStep), 1e-6);
    EXPECT_NEAR(variance_gradient[f], (variances[0] - variances[1]) / (2 * kStep), 1e-6);
  }
}

TEST(ProbitClassifier, HyperparametersAreFoundByTheirPosterior) {
  const Eigen::MatrixXd x = points(60);
  GpPriors priors;
  priors.fixed_noise = 0;
  ProbitPosterior posterior(kernel(), priors, x, labels_of(x));
  HyperFitOptions options;
  options.method = HyperMethod::map;
  const HyperFit fit = fit_hyperparameters(posterior, options, 1);
  const GpModel found = posterior.model(fit.mode);
  EXPECT_EQ(found.noise, 0);
  std::vector<double> slopes(3), reference(3);
  posterior.evaluate(fit.mode, reference, slopes);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(slopes[i] + reference[i], 0, 0.1) << "the gradient vanishes";
  // All points of one kind: nothing to tell apart, the latent value is of that sign everywhere.
  const ProbitClassifier sure(found, x, Eigen::VectorXd::Ones(60));
  EXPECT_GT(sure.mean().minCoeff(), 0);
}

}  // namespace
}  // namespace tempera
