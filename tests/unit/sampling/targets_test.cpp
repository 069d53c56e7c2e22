#include "core/sampling/targets/targets.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "core/base/error.hpp"
#include "tests/support/statistics.hpp"
#include "tests/unit/sampling/differences.hpp"

namespace tempera {
namespace {

using test::Vector;
using Settings = std::vector<std::string>;

struct Case {
  std::string name;
  Settings settings;
};

/// Every target with its defaults, and more where another setting takes another path.
std::vector<Case> cases() {
  std::vector<Case> all;
  for (const TargetDescription& description : describe_targets()) all.push_back({description.name, {}});
  const std::vector<Case> more{{"gaussian", {"dim=5", "precision=0.3"}},
                               {"mixture", {"dim=3", "modes=4", "sd=0.8"}},
                               {"funnel", {"dim=2"}},
                               {"rosenbrock", {"dim=7", "length=2"}},
                               {"eight-schools", {"centred=true"}},
                               {"binomial-product", {"trials=10", "successes=10"}},
                               {"binomial-product", {"trials=10", "successes=0"}},
                               {"linear-regression", {"observations=2", "predictors=4"}},
                               {"sparse-regression", {"prior=normal"}},
                               {"logistic-regression", {"prior=horseshoe", "predictors=3"}},
                               {"poisson-regression", {"prior=horseshoe", "observations=7"}},
                               {"gaussian-mixture", {"components=3", "ordered=true"}},
                               {"gaussian-mixture", {"components=1", "observations=3"}},
                               {"ising", {"size=3", "beta=0.2"}},
                               {"phi4", {"size=3", "coupling=0", "hopping=0.1"}}};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

std::string text(const Case& c) {
  std::string all = c.name;
  for (const std::string& setting : c.settings) all += " " + setting;
  return all;
}

std::unique_ptr<Target> made(const Case& c) {
  return make_target(c.name, c.settings);
}

Vector reference_draw(Target& target, Index index) {
  RandomStream stream(3, "sampling-test-draw", {index});
  Vector u(static_cast<std::size_t>(target.dimension()));
  target.sample_reference(stream, u);
  return u;
}

TEST(Targets, GradientsAreThoseOfTheDensities) {
  for (const Case& c : cases()) {
    const auto target = made(c);
    EXPECT_EQ(target->has_gradient(), c.name != "ising") << text(c);
    for (Index draw = 0; target->has_gradient() && draw < 10; ++draw) {
      Vector u = reference_draw(*target, draw);
      for (double& value : u) value *= 0.5;  // far out the differences lose their digits
      Vector reference(u.size()), likelihood(u.size());
      const LogDensity density = target->evaluate(u, reference, likelihood);
      EXPECT_EQ(density.reference, target->evaluate(u).reference) << text(c);
      EXPECT_EQ(density.likelihood, target->evaluate(u).likelihood) << text(c);
      for (std::size_t i = 0; i < u.size(); ++i) {
        const double step = 2e-3;  // a mode of the mixture is narrow
        const double by_reference =
            test::derivative([&](const Vector& at) { return target->evaluate(at).reference; }, u, i, step);
        const double by_likelihood =
            test::derivative([&](const Vector& at) { return target->evaluate(at).likelihood; }, u, i, step);
        const double rounding = 1e-12 * (std::abs(density.reference) + std::abs(density.likelihood));
        EXPECT_NEAR(reference[i], by_reference, 1e-7 * (1 + std::abs(reference[i])) + rounding)
            << text(c) << " entry " << i << " draw " << draw;
        EXPECT_NEAR(likelihood[i], by_likelihood, 1e-7 * (1 + std::abs(likelihood[i])) + rounding)
            << text(c) << " entry " << i << " draw " << draw;
      }
    }
  }
}

TEST(Targets, ReferencesAreFiniteFarOut) {
  for (const Case& c : cases()) {
    const auto target = made(c);
    for (const double size : {-700.0, 700.0}) {
      Vector u(static_cast<std::size_t>(target->dimension()), size);
      const LogDensity density = target->evaluate(u);
      EXPECT_FALSE(std::isnan(density.reference)) << text(c);
      EXPECT_FALSE(std::isnan(density.likelihood)) << text(c);
      EXPECT_LT(density.reference, 0) << text(c);
      EXPECT_LT(density.likelihood, 1e7) << text(c);
    }
  }
}

TEST(Targets, ClonesAreTheSameDensityWithScratchOfTheirOwn) {
  for (const Case& c : cases()) {
    const auto target = made(c);
    const auto twin = target->clone();
    const Vector one = reference_draw(*target, 1), other = reference_draw(*target, 2);
    const LogDensity expected = target->evaluate(one);
    twin->evaluate(other);
    EXPECT_EQ(target->evaluate(one).likelihood, expected.likelihood) << text(c);
    EXPECT_EQ(twin->evaluate(one).likelihood, expected.likelihood) << text(c);
    EXPECT_EQ(twin->evaluate(one).reference, expected.reference) << text(c);
  }
}

TEST(Targets, DrawsDependOnTheirStreamAlone) {
  for (const Case& c : cases()) {
    const auto target = made(c);
    const Vector first = reference_draw(*target, 1);
    reference_draw(*target, 2);
    EXPECT_EQ(reference_draw(*target, 1), first) << text(c);
  }
}

/// The score identity of a normalised density: E[∂ reference/∂u_i] = 0 and E[u_i ∂ reference/∂u_i] = −1, by draws.
/// 40 000 draws a target; bounds of 6 standard errors, 2e-9 a check and some 400 checks: false alarms below 1e-6. A
/// normal draw whose sd is 5 % off exceeds its bound by eight standard errors, a half-Cauchy's by one.
TEST(Targets, DrawsFromTheReferenceSatisfyItsScoreIdentities) {
  constexpr int kDraws = 40000;
  constexpr double kStandardErrors = 6;
  for (const Case& c : cases()) {
    const auto target = made(c);
    ASSERT_TRUE(target->samples_reference()) << text(c);
    ASSERT_TRUE(target->normalised_reference()) << text(c);
    if (!target->has_gradient()) continue;
    const auto size = static_cast<std::size_t>(target->dimension());
    Vector score(size), ignored(size), sums(4 * size);
    for (int draw = 0; draw < kDraws; ++draw) {
      const Vector u = reference_draw(*target, draw);
      target->evaluate(u, score, ignored);
      for (std::size_t i = 0; i < size; ++i) {
        const double virial = 1 + u[i] * score[i];
        sums[4 * i] += score[i];
        sums[4 * i + 1] += score[i] * score[i];
        sums[4 * i + 2] += virial;
        sums[4 * i + 3] += virial * virial;
      }
    }
    for (std::size_t i = 0; i < size; ++i) {
      EXPECT_LT(std::abs(sums[4 * i]), kStandardErrors * std::sqrt(sums[4 * i + 1])) << text(c) << " entry " << i;
      EXPECT_LT(std::abs(sums[4 * i + 2]), kStandardErrors * std::sqrt(sums[4 * i + 3])) << text(c) << " entry " << i;
    }
  }
}

/// exp(density) over a square of u, by the trapezoidal rule.
template <class Density>
double plane_integral(Density density, double half_side, int intervals) {
  return test::integral(
      [&](double a) {
        return test::integral(
            [&](double b) {
              return std::exp(density(Vector{a, b}));
            },
            -half_side, half_side, intervals);
      },
      -half_side, half_side, intervals);
}

TEST(Targets, ReferencesIntegrateToOne) {
  for (const Case& c : {Case{"mixture", {"dim=2"}}, Case{"binomial-product", {}}, Case{"gaussian", {"dim=2"}},
                        Case{"funnel", {"dim=2"}}, Case{"rosenbrock", {"scale=3"}}}) {
    const auto target = made(c);
    EXPECT_NEAR(plane_integral([&](const Vector& u) { return target->evaluate(u).reference; }, 40, 640), 1, 1e-9)
        << text(c);
  }
  // A coefficient as wide as the noise says: (β, log variance) = (10 e^{w/2} z, w) is smooth in both.
  const auto regression = made({"linear-regression", {"predictors=1"}});
  const auto density = [&](const Vector& at) {
    const double width = 10 * std::exp(at[1] / 2);
    return std::log(width) + regression->evaluate(Vector{width * at[0], at[1]}).reference;
  };
  EXPECT_NEAR(plane_integral(density, 20, 640), 1, 1e-9);
}

TEST(Targets, NamesAndKeysAreRefusedWithTheNearestKnownOne) {
  const auto message = [](const std::string& name, const Settings& settings) {
    try {
      make_target(name, settings);
    } catch (const Error& error) {
      EXPECT_EQ(error.category(), Category::usage);
      return error.message();
    }
    return std::string("accepted");
  };
  EXPECT_EQ(message("gausian", {}),
            "tempera: error: --target: unknown target 'gausian'\nhint: did you mean 'gaussian'?");
  EXPECT_EQ(message("funnel", {"dims=3"}),
            "tempera: error: --set: target funnel has no setting 'dims'\nhint: did you mean 'dim'?");
  EXPECT_EQ(message("gaussian", {"colour=red"}),
            "tempera: error: --set: target gaussian has no setting 'colour'\nhint: its settings are dim, precision");
  EXPECT_EQ(message("change-point", {"year=1900"}),
            "tempera: error: --set: target change-point has no setting 'year'\nhint: it has no settings");
  EXPECT_EQ(message("phi4", {"coupling=0", "hopping=0.3"}),
            "tempera: error: --set: without coupling the density has no integral for hopping 0.25 and above\n"
            "hint: set a positive coupling");
  EXPECT_EQ(message("gaussian", {"dim"}), "tempera: error: --set: 'dim' is not of the form key=value");
  EXPECT_EQ(message("gaussian", {"dim=2", "dim=3"}), "tempera: error: --set: dim is given twice");
  EXPECT_EQ(message("gaussian", {"dim=0"}),
            "tempera: error: --set: dim: 0 is out of range: from 1 to 10000000 expected");
  EXPECT_EQ(message("gaussian", {"precision=much"}), "tempera: error: --set: precision: 'much' is not a number");
  EXPECT_EQ(message("eight-schools", {"centred=yes"}), "tempera: error: --set: centred: 'yes' is not true or false");
  EXPECT_EQ(message("binomial-product", {"successes=5", "trials=3"}), "tempera: error: --set: 5 successes in 3 trials");
}

TEST(Targets, AreDescribedWithTheirDefaults) {
  const auto all = describe_targets();
  ASSERT_FALSE(all.empty());
  EXPECT_EQ(all[0].name, "gaussian");
  ASSERT_EQ(all[0].settings.size(), 2u);
  EXPECT_EQ(all[0].settings[0].name, "dim");
  EXPECT_EQ(all[0].settings[0].default_value, "1");
  EXPECT_EQ(all[0].settings[1].range, "above 0");
  for (const TargetDescription& target : all)
    for (const TargetSetting& setting : target.settings)  // defaults are accepted as they are shown
      EXPECT_NO_THROW(make_target(target.name, Settings{setting.name + "=" + setting.default_value})) << target.name;
}

}  // namespace
}  // namespace tempera
