#include "core/bayesopt/objectives.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "core/base/error.hpp"
#include "core/base/random_stream.hpp"

namespace tempera {
namespace {

using Texts = std::vector<std::string>;

/// The value at natural coordinates.
double at(const TestObjective& objective, const std::vector<double>& coordinates) {
  nlohmann::json values;
  for (std::size_t i = 0; i < coordinates.size(); ++i) values["x" + std::to_string(i + 1)] = coordinates[i];
  return objective.exact(objective.space().from_json(values));
}

TEST(TestObjective, HasItsOptimumWhereItSays) {
  for (const ObjectiveDescription& description : describe_objectives()) {
    const TestObjective objective(description.name);
    const std::vector<double>& best = objective.optimum_at();
    EXPECT_NEAR(at(objective, best), objective.optimum(), 1e-11) << description.name;
    // No lower at neighbours along each coordinate, and higher where the step is not lost to rounding.
    for (std::size_t i = 0; i < best.size(); ++i)
      for (const double step : {-1e-3, 1e-3}) {
        std::vector<double> moved = best;
        moved[i] += step;
        EXPECT_GT(at(objective, moved), objective.optimum()) << description.name;
      }
  }
}

TEST(TestObjective, IsNowhereLower) {
  for (const ObjectiveDescription& description : describe_objectives()) {
    const TestObjective objective(description.name);
    RandomStream stream(5, "objectives-test");
    std::vector<double> unit(static_cast<std::size_t>(objective.space().size()));
    for (int draw = 0; draw < 20000; ++draw) {
      for (double& u : unit) u = stream.uniform();
      ASSERT_GE(objective.exact(objective.space().from_unit(unit)), objective.optimum()) << description.name;
    }
  }
}

TEST(TestObjective, MatchesPublishedAndHandMadeValues) {
  const double pi = std::numbers::pi;
  const TestObjective branin("branin");
  EXPECT_NEAR(at(branin, {-pi, 12.275}), 0.397887, 1e-6);
  EXPECT_NEAR(at(branin, {9.42478, 2.475}), 0.397887, 1e-6);
  EXPECT_NEAR(at(branin, {0, 0}), 36 + 10 * (1 - 1 / (8 * pi)) + 10, 1e-12);
  EXPECT_NEAR(at(TestObjective("hartmann3"), {0.114614, 0.555649, 0.852547}), -3.86278, 1e-5);
  EXPECT_NEAR(at(TestObjective("hartmann6"), {0.20169, 0.150011, 0.476874, 0.275332, 0.311652, 0.6573}), -3.32237,
              1e-5);
  EXPECT_NEAR(at(TestObjective("hartmann6"), {0.404653, 0.882445, 0.846102, 0.573990, 0.138927, 0.038496}), -3.2032,
              1e-4)
      << "the second basin";
  const TestObjective camel("six-hump-camel");
  EXPECT_NEAR(at(camel, {-0.0898, 0.7126}), -1.0316, 1e-4);
  EXPECT_DOUBLE_EQ(at(camel, {1, 1}), 4 - 2.1 + 1.0 / 3 + 1);
  const TestObjective goldstein("goldstein-price");
  EXPECT_DOUBLE_EQ(at(goldstein, {0, -1}), 3);
  EXPECT_NEAR(at(goldstein, {-0.6, -0.4}), 30, 1e-10) << "a local minimum";
  EXPECT_NEAR(at(goldstein, {1.8, 0.2}), 84, 1e-10) << "a local minimum";
  EXPECT_NEAR(at(goldstein, {1.2, 0.8}), 840, 1e-9) << "a local minimum";
  const TestObjective ackley("ackley", Texts{"dim=2"});
  EXPECT_NEAR(at(ackley, {0, 0}), 0, 1e-15);
  EXPECT_NEAR(at(ackley, {1, 1}), 20 - 20 * std::exp(-0.2), 1e-12);
  const TestObjective levy("levy", Texts{"dim=2"});
  EXPECT_NEAR(at(levy, {1, 1}), 0, 1e-15);
  EXPECT_NEAR(at(levy, {1, 9}), 4 * (1 + 0), 1e-12) << "w = (1, 3)";
  EXPECT_NEAR(at(levy, {1, 2}), 0.0625 * (1 + 1), 1e-12) << "w = (1, 5/4)";
  EXPECT_NEAR(at(levy, {-3, 1}), 1 * (1 + 10 * std::pow(std::sin(1), 2)), 1e-12) << "w = (0, 1)";
  EXPECT_DOUBLE_EQ(at(TestObjective("rosenbrock", Texts{"dim=3"}), {0, 1, 2}), (100 + 1) + (100 + 0));
  EXPECT_DOUBLE_EQ(at(TestObjective("styblinski-tang", Texts{"dim=1"}), {2}), (16 - 64 + 10) / 2.0);
  EXPECT_NEAR(TestObjective("styblinski-tang", Texts{"dim=3"}).optimum(), 3 * -39.16617, 3e-5);
  EXPECT_NEAR(at(TestObjective("rastrigin", Texts{"dim=2"}), {0.5, 1}), 0.25 + 20 + 1, 1e-12);
  EXPECT_DOUBLE_EQ(at(TestObjective("sphere", Texts{"dim=2"}), {3, -4}), 25);
}

TEST(TestObjective, NoiseBelongsToTheTrial) {
  const TestObjective noisy("sphere", Texts{"dim=1", "noise=0.5"});
  const TestObjective clean("sphere", Texts{"dim=1"});
  const Point point = clean.space().from_json({{"x1", 2}});
  EXPECT_EQ(noisy.evaluate(point, 3, 7), noisy.evaluate(point, 3, 7));
  EXPECT_NE(noisy.evaluate(point, 3, 7), noisy.evaluate(point, 3, 8));
  EXPECT_NE(noisy.evaluate(point, 3, 7), noisy.evaluate(point, 4, 7));
  EXPECT_EQ(clean.evaluate(point, 3, 7), clean.exact(point));
  constexpr Index kTrials = 20000;
  double sum = 0, squares = 0;
  for (Index trial = 0; trial < kTrials; ++trial) {
    const double error = noisy.evaluate(point, 1, trial) - noisy.exact(point);
    sum += error;
    squares += error * error;
  }
  // Six standard errors: false alarms below 1e-8.
  EXPECT_NEAR(sum / kTrials, 0, 6 * 0.5 / std::sqrt(kTrials));
  EXPECT_NEAR(squares / kTrials, 0.25, 6 * 0.25 * std::sqrt(2.0 / kTrials));
}

TEST(TestObjective, MixedVariantsKeepTheirOptimum) {
  const TestObjective mixed("ackley", Texts{"dim=5", "integers=3"});
  EXPECT_EQ(mixed.space().parameters()[0].type, ParameterType::integer);
  EXPECT_EQ(mixed.space().parameters()[0].cells(), 65);
  EXPECT_EQ(mixed.space().parameters()[3].type, ParameterType::real);
  EXPECT_NEAR(at(mixed, {0, 0, 0, 0, 0}), 0, 1e-14);
}

TEST(TestObjective, SettingsAreRefusedWithTheirMend) {
  const auto refusal = [](std::string_view name, const Texts& settings) {
    try {
      const TestObjective objective(name, settings);
    } catch (const Error& problem) {
      EXPECT_EQ(problem.category(), Category::usage);
      return problem.where() + ": " + problem.what_is_wrong() + " | " + problem.hint();
    }
    return std::string("accepted");
  };
  EXPECT_EQ(refusal("brannin", {}), "--objective: unknown objective 'brannin' | did you mean 'branin'?");
  EXPECT_EQ(refusal("branin", {"dim=3"}), "--set: objective branin has no setting 'dim' | its settings are noise");
  EXPECT_EQ(refusal("ackley", {"dim=0"}), "--set: dim: 0 is out of range: from 1 to 1000 expected | ");
  EXPECT_EQ(refusal("ackley", {"dim=2", "integers=3"}),
            "--set: integers: 3 of 2 coordinates | integers is at most dim");
  EXPECT_EQ(refusal("styblinski-tang", {"integers=1"}),
            "--set: objective styblinski-tang has no setting 'integers' | its settings are dim, noise");
  EXPECT_EQ(refusal("rosenbrock", {"dim=1"}), "--set: dim: rosenbrock has two coordinates or more | ");
  EXPECT_EQ(refusal("sphere", {"noise=-1"}), "--set: noise: -1 is out of range: at least 0 expected | ");
}

}  // namespace
}  // namespace tempera
