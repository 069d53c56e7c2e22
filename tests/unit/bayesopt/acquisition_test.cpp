#include "core/bayesopt/acquisition.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/base/error.hpp"
#include "tests/unit/bayesopt/fake_surrogates.hpp"

namespace tempera {
namespace {

using test::bowl;
using test::constant;
using test::FormulaSurrogate;

FormulaSurrogate::Function growing(double rate) {
  return [rate](const Eigen::VectorXd& x, Eigen::VectorXd& gradient) {
    const double sd = 0.2 + rate * x.squaredNorm();
    gradient = 2 * rate * x;
    return sd;
  };
}

FormulaSurrogate three_draws() {
  return FormulaSurrogate(2, {{bowl(Eigen::Vector2d(0.2, 0.3), 1, 0.1), growing(0.1), 0.2},
                              {bowl(Eigen::Vector2d(0.6, 0.1), 3), growing(0.5), 0.15},
                              {bowl(Eigen::Vector2d(0.5, 0.5), 0.5, -0.2), constant(0.05), -0.3}});
}

const Eigen::MatrixXd kPoints{{0.1, 0.5, 0.9, 0.61}, {0.8, 0.45, 0.2, 0.12}};
const std::vector<std::string> kPointwise{"log-ei", "ei", "pi", "ucb:1.5"};

std::vector<double> values_at(const Acquisition& acquisition, const Eigen::MatrixXd& points) {
  std::vector<double> values(static_cast<std::size_t>(points.cols()));
  acquisition.values(points, values);
  return values;
}

/// Values equal those with gradients, gradients equal differences.
void expect_consistent(const Acquisition& acquisition, const std::string& what) {
  const std::vector<double> values = values_at(acquisition, kPoints);
  for (Index i = 0; i < kPoints.cols(); ++i) {
    std::vector<double> x{kPoints(0, i), kPoints(1, i)}, gradient(2), unused(2);
    EXPECT_NEAR(acquisition.value_with_gradient(x, gradient), values[static_cast<std::size_t>(i)], 1e-13) << what;
    for (std::size_t j = 0; j < 2; ++j) {
      std::vector<double> up = x, down = x;
      up[j] += 1e-6;
      down[j] -= 1e-6;
      const double slope =
          (acquisition.value_with_gradient(up, unused) - acquisition.value_with_gradient(down, unused)) / 2e-6;
      EXPECT_NEAR(gradient[j], slope, 1e-6 * (1 + std::abs(slope))) << what << " at point " << i;
    }
  }
}

TEST(AcquisitionRule, NamesAreReadAndWritten) {
  for (const std::string text : {"log-ei", "ei", "pi", "ucb:1.5", "thompson", "ucb:0"})
    EXPECT_EQ(AcquisitionRule::parse(text).text(), text);
  EXPECT_EQ(AcquisitionRule::parse("ucb").text(), "ucb:2");
  const auto message = [](std::string_view text) -> std::string {
    try {
      AcquisitionRule::parse(text);
    } catch (const Error& error) {
      return error.what_is_wrong() + "; " + error.hint();
    }
    return "accepted";
  };
  EXPECT_EQ(message("logei"), "no acquisition is named 'logei'; there are log-ei, ei, pi, ucb:BETA and thompson");
  for (const std::string text : {"ucb:", "ucb:-1", "ucb:x", "ucb:1x", "ucb:inf", "ucb:nan"})
    EXPECT_EQ(message(text),
              "the number of standard deviations in '" + text + "' is not a number ≥ 0; for example ucb:2");
}

TEST(ModelAcquisition, OfOneDrawIsTheFunctionOfItsMoments) {
  const FormulaSurrogate model(2, {{bowl(Eigen::Vector2d(0.2, 0.3)), growing(0.1), 0.05}});
  Eigen::MatrixXd mean, sd;
  model.predict(kPoints, mean, sd);
  const auto expected = [&](const std::string& name, Index i) {
    if (name == "log-ei") return log_expected_improvement(mean(i, 0), sd(i, 0), 0.05).value;
    if (name == "ei") return expected_improvement(mean(i, 0), sd(i, 0), 0.05).value;
    if (name == "pi") return log_probability_below(mean(i, 0), sd(i, 0), 0.05).value;
    return 1.5 * sd(i, 0) - mean(i, 0);
  };
  for (const std::string& name : kPointwise) {
    const std::vector<double> values = values_at(ModelAcquisition(AcquisitionRule::parse(name), model), kPoints);
    for (Index i = 0; i < kPoints.cols(); ++i)
      EXPECT_EQ(values[static_cast<std::size_t>(i)], expected(name, i)) << name;
  }
}

TEST(ModelAcquisition, EqualDrawsAreOneDrawToTheBit) {
  const FormulaSurrogate::Draw draw{bowl(Eigen::Vector2d(0.2, 0.3)), growing(0.1), 0.05};
  const FormulaSurrogate one(2, {draw});
  for (const std::size_t count : {2u, 3u, 7u, 16u}) {
    const FormulaSurrogate many(2, std::vector<FormulaSurrogate::Draw>(count, draw));
    for (const std::string& name : kPointwise) {
      const ModelAcquisition of_one(AcquisitionRule::parse(name), one), of_many(AcquisitionRule::parse(name), many);
      EXPECT_EQ(values_at(of_one, kPoints), values_at(of_many, kPoints)) << name;
      for (Index i = 0; i < kPoints.cols(); ++i) {
        const std::vector<double> x{kPoints(0, i), kPoints(1, i)};
        std::vector<double> a(2), b(2);
        EXPECT_EQ(of_one.value_with_gradient(x, a), of_many.value_with_gradient(x, b)) << name;
        EXPECT_EQ(a, b) << name;
      }
    }
  }
}

TEST(ModelAcquisition, DrawsAreAveragedWithIncumbentsOfTheirOwn) {
  const FormulaSurrogate model = three_draws();
  Eigen::MatrixXd mean, sd;
  model.predict(kPoints, mean, sd);
  const std::vector<double> log_ei = values_at(ModelAcquisition(AcquisitionRule::parse("log-ei"), model), kPoints);
  const std::vector<double> ei = values_at(ModelAcquisition(AcquisitionRule::parse("ei"), model), kPoints);
  const std::vector<double> ucb = values_at(ModelAcquisition(AcquisitionRule::parse("ucb:1.5"), model), kPoints);
  for (Index i = 0; i < kPoints.cols(); ++i) {
    const auto k = static_cast<std::size_t>(i);
    double sum = 0;
    for (Index s = 0; s < 3; ++s) sum += expected_improvement(mean(i, s), sd(i, s), model.best(s)).value;
    EXPECT_NEAR(ei[k], sum / 3, 1e-15);
    EXPECT_NEAR(log_ei[k], std::log(sum / 3), 1e-12);
    EXPECT_NEAR(ucb[k], (1.5 * sd.row(i) - mean.row(i)).mean(), 1e-14);
  }
}

TEST(ModelAcquisition, GradientsMatchDifferencesWithAllThatMayBeAdded) {
  const FormulaSurrogate model = three_draws();
  const FormulaSurrogate constraint(2, {{bowl(Eigen::Vector2d(0.9, 0.9), 2, -1), growing(0.2), 0},
                                        {bowl(Eigen::Vector2d(0.8, 0.9), 2, -1), constant(0.3), 0}});
  const FormulaSurrogate failing(2, {{bowl(Eigen::Vector2d(0.9, 0.9), 3, -1.5), growing(0.2), 0}});
  const FormulaSurrogate cost(2, {{bowl(Eigen::Vector2d(0, 0)), growing(0.3), 0}});
  for (const std::string& name : kPointwise) {
    ModelAcquisition acquisition(AcquisitionRule::parse(name), model);
    expect_consistent(acquisition, name);
    acquisition.require_below(constraint, 0.1);
    acquisition.require_below(constraint, 0.4, 1);
    acquisition.avoid_failing(failing);
    expect_consistent(acquisition, name + " with constraints");
    acquisition.divide_by_cost(cost, 1.7, 0.5);
    expect_consistent(acquisition, name + " with constraints and cost");
  }
  ModelAcquisition feasibility(2);
  feasibility.require_below(constraint, 0.1);
  expect_consistent(feasibility, "constraints alone");
}

TEST(ModelAcquisition, WhatIsAddedIsProbabilityAndCost) {
  const FormulaSurrogate model = three_draws();
  const FormulaSurrogate constraint(2, {{bowl(Eigen::Vector2d(0.9, 0.9), 2, -1), constant(0.3), 0}});
  const FormulaSurrogate cost(2, {{bowl(Eigen::Vector2d(0, 0)), constant(0.3), 0}});
  Eigen::MatrixXd c, c_sd, t, t_sd;
  constraint.predict(kPoints, c, c_sd);
  cost.predict(kPoints, t, t_sd);
  for (const std::string name : {"log-ei", "ei"}) {
    const ModelAcquisition plain(AcquisitionRule::parse(name), model);
    ModelAcquisition with(AcquisitionRule::parse(name), model);
    with.require_below(constraint, 0.2, 0.4);
    with.divide_by_cost(cost, 2);
    const std::vector<double> a = values_at(plain, kPoints), b = values_at(with, kPoints);
    for (Index i = 0; i < kPoints.cols(); ++i) {
      const auto k = static_cast<std::size_t>(i);
      const double probability = 0.5 * std::erfc((c(i, 0) - 0.2) / 0.5 / std::sqrt(2.0));
      const double factor = probability / std::exp(2 * t(i, 0) + 0.5 * 4 * 0.09);
      if (name == "ei")
        EXPECT_NEAR(b[k], a[k] * factor, 1e-13);
      else
        EXPECT_NEAR(b[k], a[k] + std::log(factor), 1e-12);
    }
  }
}

TEST(ModelAcquisition, WhatRatherFailsIsTriedReluctantly) {
  const FormulaSurrogate model = three_draws();
  const FormulaSurrogate failing(2, {{bowl(Eigen::Vector2d(0.9, 0.9), 3, -1.5), constant(0.75), 0}});
  Eigen::MatrixXd f, sd;
  failing.predict(kPoints, f, sd);
  const ModelAcquisition plain(AcquisitionRule::parse("log-ei"), model);
  ModelAcquisition with(AcquisitionRule::parse("log-ei"), model);
  with.avoid_failing(failing);
  const std::vector<double> a = values_at(plain, kPoints), b = values_at(with, kPoints);
  int doubtful = 0;
  for (Index i = 0; i < kPoints.cols(); ++i) {
    const double probability = 0.5 * std::erfc(f(i, 0) / 1.25 / std::sqrt(2.0));
    const double expected =
        probability > 0.5 ? std::log(probability) : std::log(0.5) + 40 * (std::log(probability) - std::log(0.5));
    EXPECT_NEAR(b[static_cast<std::size_t>(i)] - a[static_cast<std::size_t>(i)], expected, 1e-10);
    doubtful += probability < 0.5 ? 1 : 0;
  }
  EXPECT_GT(doubtful, 0);
  EXPECT_LT(doubtful, kPoints.cols());
}

TEST(ModelAcquisition, ThompsonFollowsThePathOfOneDraw) {
  struct Slope final : SamplePath {
    void values(const Eigen::MatrixXd& points, Eigen::VectorXd& values) const override {
      values = points.colwise().sum().transpose();
    }
    double value_with_gradient(std::span<const double> x, std::span<double> gradient) const override {
      gradient[0] = gradient[1] = 1;
      return x[0] + x[1];
    }
  };
  struct Pathwise final : Surrogate {
    FormulaSurrogate base = three_draws();
    Index features() const override { return 2; }
    Index draws() const override { return 3; }
    void predict(const Eigen::MatrixXd& p, Eigen::MatrixXd& m, Eigen::MatrixXd& s) const override {
      base.predict(p, m, s);
    }
    void predict_with_gradient(std::span<const double> p, Eigen::VectorXd& m, Eigen::VectorXd& s, Eigen::MatrixXd& mg,
                               Eigen::MatrixXd& sg) const override {
      base.predict_with_gradient(p, m, s, mg, sg);
    }
    void predict_jointly(const Eigen::MatrixXd& p, Index d, Eigen::VectorXd& m, Eigen::MatrixXd& c) const override {
      base.predict_jointly(p, d, m, c);
    }
    double best(Index draw) const override { return base.best(draw); }
    std::unique_ptr<SamplePath> sample_path(Index, RandomStream) const override { return std::make_unique<Slope>(); }
  };
  const Pathwise model;
  ModelAcquisition acquisition(AcquisitionRule::parse("thompson"), model);
  EXPECT_NEAR(values_at(acquisition, kPoints)[1], -0.95, 1e-15);
  expect_consistent(acquisition, "thompson");
  acquisition.require_below(model, 0.5);
  expect_consistent(acquisition, "thompson with a constraint");

  const FormulaSurrogate without = three_draws();
  EXPECT_THROW(ModelAcquisition(AcquisitionRule::parse("thompson"), without), Error);
}

}  // namespace
}  // namespace tempera
