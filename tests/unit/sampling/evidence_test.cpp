#include "core/sampling/evidence.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/base/random_stream.hpp"
#include "core/sampling/schedule.hpp"

namespace tempera {
namespace {

// Reference N(0, I), likelihood exp(−(p − 1)|x|²/2): chain β is N(0, 1/(1 + (p − 1) β)), log Z = −d/2 log p.

struct GaussianPath {
  int dimension;
  double precision;

  double log_z() const { return -0.5 * dimension * std::log(precision); }
  double barrier() const {
    return std::exp(std::lgamma(0.5 * (dimension + 1)) - std::lgamma(0.5 * dimension)) / std::sqrt(M_PI) *
           std::log(precision);
  }
  /// Of equal steps in log precision.
  std::vector<double> schedule(int chains) const {
    std::vector<double> betas;
    for (int i = 0; i < chains; ++i)
      betas.push_back((std::pow(precision, static_cast<double>(i) / (chains - 1)) - 1) / (precision - 1));
    return betas;
  }
  /// Exact draws; neighbouring scans of a chain have correlation `memory` in x.
  std::vector<double> likelihoods(std::span<const double> betas, Index scans, std::uint64_t seed, double memory) const {
    std::vector<double> all;
    for (std::size_t c = 0; c < betas.size(); ++c) {
      RandomStream stream(seed, "evidence-test", {static_cast<Index>(c)});
      const double sd = 1 / std::sqrt(1 + (precision - 1) * betas[c]);
      std::vector<double> x(static_cast<std::size_t>(dimension));
      for (double& value : x) value = sd * stream.normal();
      for (Index t = 0; t < scans; ++t) {
        double square = 0;
        for (double& value : x) {
          if (t > 0) value = memory * value + std::sqrt(1 - memory * memory) * sd * stream.normal();
          square += value * value;
        }
        all.push_back(-0.5 * (precision - 1) * square);
      }
    }
    return all;
  }
};

struct Calibration {
  double sum = 0, squares = 0;
  int count = 0;
  void add(double z) {
    sum += z;
    squares += z * z;
    ++count;
  }
  double mean() const { return sum / count; }
  double sd() const { return std::sqrt(squares / count - mean() * mean()); }
};

struct Errors {
  Calibration estimate, stones, integral;
};

Errors errors_of(const GaussianPath& path, int chains, double memory) {
  const auto betas = path.schedule(chains);
  Errors errors;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const Evidence evidence = estimate_evidence(betas, path.likelihoods(betas, 1024, seed, memory), 1024);
    errors.estimate.add((evidence.estimate - path.log_z()) / evidence.standard_error);
    errors.stones.add((evidence.stepping_stone - path.log_z()) / evidence.stepping_stone_error);
    errors.integral.add((evidence.thermodynamic - path.log_z()) / evidence.thermodynamic_error);
    EXPECT_FALSE(evidence.disagree);
  }
  return errors;
}

void expect_calibrated(const Calibration& z) {
  EXPECT_NEAR(z.mean(), 0, 0.25);
  EXPECT_GT(z.sd(), 0.85);
  EXPECT_LT(z.sd(), 1.15);
}

TEST(Evidence, ErrorsAreAsLargeAsTheySay) {
  for (const double memory : {0.0, 0.8})
    for (const GaussianPath path : {GaussianPath{1, 20}, GaussianPath{6, 8}}) {
      SCOPED_TRACE(testing::Message() << "dimension " << path.dimension << " memory " << memory);
      // As few chains as the barrier asks for: the precision of neighbours differs up to fivefold.
      const Errors few = errors_of(path, static_cast<int>(suggested_chains(path.barrier())), memory);
      expect_calibrated(few.estimate);
      // Stepping stones have a finite variance where it differs less than twofold; the integral has the error of the
      // quadrature in its mean.
      const Errors many = errors_of(path, 12, memory);
      expect_calibrated(many.estimate);
      expect_calibrated(many.stones);
      EXPECT_GT(many.integral.sd(), 0.85);
      EXPECT_LT(many.integral.sd(), 1.15);
    }
}

TEST(Evidence, OfTwoEqualDistributionsIsKnownExactly) {
  const std::vector<double> betas{0, 1}, constant(2 * 64, -3.5);
  const Evidence evidence = estimate_evidence(betas, constant, 64);
  for (const double value :
       {evidence.forward, evidence.reverse, evidence.estimate, evidence.thermodynamic, evidence.stepping_stone})
    EXPECT_NEAR(value, -3.5, 1e-12);
}

TEST(Evidence, CountsPointsOfTheReferenceWithoutLikelihood) {
  // Likelihood 1 on half of the reference's mass, 0 elsewhere: Z = ½.
  const Index scans = 4096;
  std::vector<double> betas{0, 1}, values;
  for (Index t = 0; t < scans; ++t) values.push_back(t % 2 == 0 ? 0 : -std::numeric_limits<double>::infinity());
  values.insert(values.end(), static_cast<std::size_t>(scans), 0.0);
  const Evidence evidence = estimate_evidence(betas, values, scans);
  EXPECT_NEAR(evidence.forward, std::log(0.5), 1e-12);
  EXPECT_NEAR(evidence.estimate, std::log(0.5), 1e-9);
}

TEST(Evidence, SaysWhereForwardAndReverseDisagree) {
  // Draws of a chain that never saw the other mode: forward says log 1, reverse log 10.
  std::vector<double> betas{0, 1}, values;
  RandomStream stream(1, "disagree", {});
  for (int t = 0; t < 2000; ++t) values.push_back(0.1 * stream.normal());
  for (int t = 0; t < 2000; ++t) values.push_back(std::log(10) + 0.1 * stream.normal());
  EXPECT_TRUE(estimate_evidence(betas, values, 2000).disagree);
}

TEST(CommunicationBarrier, OfGaussiansIsWithinTwoPercentOfTheClosedForm) {
  for (const GaussianPath path : {GaussianPath{1, 1000}, GaussianPath{10, 10}, GaussianPath{50, 100}}) {
    const auto betas = path.schedule(static_cast<int>(suggested_chains(path.barrier())));
    const Index scans = Index{1} << 14;
    const double barrier = communication_barrier(betas, path.likelihoods(betas, scans, 3, 0), scans);
    EXPECT_NEAR(barrier / path.barrier(), 1, 0.02) << path.dimension;
  }
}

}  // namespace
}  // namespace tempera
