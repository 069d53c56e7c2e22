#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>

#include "core/base/error.hpp"
#include "tests/models/factories.hpp"
#include "tests/models/models.hpp"
#include "tests/models/reference.hpp"
#include "tests/unit/models/posteriordb_fixture.hpp"
#include "tests/unit/sampling/differences.hpp"

namespace tempera {
namespace {

using test::Vector;

constexpr std::string_view kLotkaVolterra = "hudson_lynx_hare-lotka_volterra";

/// The model; with small errors of the differential equation for the checks of densities to many digits.
std::unique_ptr<Model> exact_model(std::string_view name, const std::filesystem::path& folder) {
  if (name != kLotkaVolterra) return test::make_posteriordb_model(name, folder);
  JsonData data = JsonData::read(folder / "hudson_lynx_hare.data.json");
  return test::make_lotka_volterra(data, 1e-12, 1e-11);
}

/// Draws of the reference as points of the target.
std::vector<Vector> reference_points(const Target& target, std::string_view name, const std::filesystem::path& folder) {
  std::vector<Vector> points;
  for (const Vector& draw : test::read_reference_draws(name, folder)) {
    points.emplace_back(static_cast<std::size_t>(target.dimension()));
    target.unconstrain(test::from_reference_parameters(name, draw), points.back());
  }
  return points;
}

/// Standard deviation of each coordinate.
Vector spreads(const std::vector<Vector>& points) {
  Vector result;
  for (std::size_t i = 0; i < points[0].size(); ++i) {
    double sum = 0, squares = 0;
    for (const Vector& u : points) sum += u[i] - points[0][i], squares += std::pow(u[i] - points[0][i], 2);
    const auto count = static_cast<double>(points.size());
    result.push_back(std::sqrt(squares / count - std::pow(sum / count, 2)));
  }
  return result;
}

using PosteriordbModels = test::WithPosteriordb<testing::TestWithParam<std::string_view>>;

/// Published: log prior, log likelihood and log |Jacobian| with ten digits, gradients by differences to 1e-5.
TEST_P(PosteriordbModels, HaveThePublishedDensitiesAndGradients) {
  const std::string name(GetParam());
  const auto published = nlohmann::json::parse(test::read_text(folder_ / "check_values.json"))[name];
  TransformedTarget target(exact_model(name, folder_));
  const bool schools = name.starts_with("eight_schools");  // published centred: theta_j = mu + tau z_j
  ASSERT_EQ(published["points"].size(), 3u);
  for (const auto& point : published["points"]) {
    const Vector theta = test::from_reference_parameters(name, point["constrained"].get<Vector>());
    Vector u(static_cast<std::size_t>(target.dimension())), reference(u.size()), likelihood(u.size());
    target.unconstrain(theta, u);
    const LogDensity density = target.evaluate(u, reference, likelihood);
    const double log_prior = point["log_prior"].get<double>() + point["log_jacobian"].get<double>() +
                             test::log_prior_constant(name) + (schools ? 8 * u[9] : 0);
    const double log_likelihood = point["log_likelihood"];
    EXPECT_NEAR(density.reference, log_prior, 5e-8);
    EXPECT_NEAR(density.likelihood, log_likelihood, 5e-8 + 1e-9 * std::abs(log_likelihood));
    Vector gradient = point["grad_unconstrained_fd"];
    if (schools) {
      for (std::size_t j = 0; j < 8; ++j) {
        gradient[8] += gradient[j];
        gradient[9] += 1 + theta[9] * theta[j] * gradient[j];
        gradient[j] *= theta[9];
      }
    }
    for (std::size_t i = 0; i < u.size(); ++i)
      EXPECT_NEAR(reference[i] + likelihood[i], gradient[i], 2e-4 + 1e-4 * std::abs(gradient[i])) << "entry " << i;
  }
}

TEST_P(PosteriordbModels, HaveTheGradientsOfTheirDensities) {
  TransformedTarget target(exact_model(GetParam(), folder_));
  ASSERT_TRUE(target.has_gradient());
  const auto points = reference_points(target, GetParam(), folder_);
  const Vector spread = spreads(points);
  // What the solver of the differential equation leaves, 1e-10 of a log density near −130, over the step.
  const double noise = GetParam() == kLotkaVolterra ? 1e-6 : 0;
  for (std::size_t draw = 0; draw < points.size(); draw += 101) {
    const Vector& u = points[draw];
    Vector reference(u.size()), likelihood(u.size());
    const LogDensity density = target.evaluate(u, reference, likelihood);
    for (std::size_t i = 0; i < u.size(); ++i) {
      const double step = 0.05 * spread[i];
      const double by_reference =
          test::derivative([&](const Vector& at) { return target.evaluate(at).reference; }, u, i, step);
      const double by_likelihood =
          test::derivative([&](const Vector& at) { return target.evaluate(at).likelihood; }, u, i, step);
      const double rounding = 1e-14 * (std::abs(density.reference) + std::abs(density.likelihood)) / step;
      EXPECT_NEAR(reference[i], by_reference, 1e-7 * (1 + std::abs(reference[i])) + rounding)
          << "entry " << i << " draw " << draw;
      EXPECT_NEAR(likelihood[i], by_likelihood, 1e-7 * (1 + std::abs(likelihood[i])) + rounding + noise / spread[i])
          << "entry " << i << " draw " << draw;
    }
  }
}

TEST_P(PosteriordbModels, GiveTheSameValueWithAndWithoutGradientAndInAClone) {
  TransformedTarget target(test::make_posteriordb_model(GetParam(), folder_));
  const auto twin = target.clone();
  const auto points = reference_points(target, GetParam(), folder_);
  for (std::size_t draw = 0; draw < points.size(); draw += 97) {
    Vector reference(points[draw].size()), likelihood(reference.size());
    const LogDensity density = target.evaluate(points[draw], reference, likelihood);
    twin->evaluate(points[draw + 1]);
    EXPECT_EQ(target.evaluate(points[draw]).likelihood, density.likelihood);
    EXPECT_EQ(twin->evaluate(points[draw]).reference, density.reference);
    EXPECT_EQ(twin->evaluate(points[draw]).likelihood, density.likelihood);
  }
}

TEST_P(PosteriordbModels, AreNumbersOrMinusInfinityFarOut) {
  TransformedTarget target(test::make_posteriordb_model(GetParam(), folder_));
  const Vector centre = reference_points(target, GetParam(), folder_)[0];
  for (std::size_t i = 0; i <= centre.size(); ++i)
    for (const double size : {-740.0, -700.0, -40.0, 40.0, 700.0}) {
      Vector u = centre, reference(u.size()), likelihood(u.size());
      for (std::size_t k = 0; k < u.size(); ++k)
        if (i == k || i == u.size()) u[k] = size;  // one coordinate, in the end all
      const LogDensity density = target.evaluate(u, reference, likelihood);
      EXPECT_FALSE(std::isnan(density.reference)) << "entry " << i << " at " << size;
      EXPECT_FALSE(std::isnan(density.likelihood)) << "entry " << i << " at " << size;
      EXPECT_LT(density.reference, 1500) << "entry " << i << " at " << size;
      EXPECT_LT(density.likelihood, 1e4) << "entry " << i << " at " << size;
      // Beyond 700 a number is so small that its inverse is none.
      const bool counts = std::abs(size) <= 700 && density.reference > -1e5 && density.likelihood > -1e5;
      for (std::size_t k = 0; counts && k < u.size(); ++k)
        EXPECT_TRUE(std::isfinite(reference[k] + likelihood[k])) << "entry " << i << " at " << size << " by " << k;
    }
}

/// The same prior without a likelihood.
class PriorAlone final : public Model {
 public:
  explicit PriorAlone(std::unique_ptr<Model> model) : model_(std::move(model)) {}
  std::vector<ParameterBlock> parameters() const override { return model_->parameters(); }
  double log_prior(std::span<const double> theta, std::span<double> gradient) override {
    return model_->log_prior(theta, gradient);
  }
  double log_likelihood(std::span<const double>, std::span<double> gradient) override {
    for (double& entry : gradient) entry = 0;
    return 0;
  }
  bool has_gradient() const override { return true; }
  bool samples_prior() const override { return true; }
  void sample_prior(RandomStream& stream, std::span<double> theta) override { model_->sample_prior(stream, theta); }
  std::unique_ptr<Model> clone() const override { return std::make_unique<PriorAlone>(model_->clone()); }

 private:
  std::unique_ptr<Model> model_;
};

/// E[∂ log p/∂u_i] = 0 and E[u_i ∂ log p/∂u_i] = −1 for draws of p. 40 000 draws, 6 standard errors: false alarms below
/// 1e-6; a scale that is 5 % off shows.
TEST_P(PosteriordbModels, DrawPriorsThatSatisfyTheirScoreIdentitiesOrSayThatTheyAreImproper) {
  auto model = test::make_posteriordb_model(GetParam(), folder_);
  const auto improper = model->improper_parameter();
  EXPECT_EQ(model->samples_prior(), !improper);
  EXPECT_EQ(model->normalised_prior(), !improper);
  if (improper) {
    bool known = false;
    for (const ParameterBlock& block : model->parameters()) known = known || block.name == *improper;
    EXPECT_TRUE(known) << *improper;
    return;
  }
  constexpr int kDraws = 40000;
  TransformedTarget target(std::make_unique<PriorAlone>(std::move(model)));
  const auto size = static_cast<std::size_t>(target.dimension());
  Vector u(size), score(size), ignored(size), sums(4 * size);
  RandomStream stream(7, "test-prior-draws");
  for (int draw = 0; draw < kDraws; ++draw) {
    target.sample_reference(stream, u);
    target.evaluate(u, score, ignored);
    for (std::size_t i = 0; i < size; ++i) {
      const double virial = 1 + u[i] * score[i];
      sums[4 * i] += score[i];
      sums[4 * i + 1] += score[i] * score[i];
      sums[4 * i + 2] += virial;
      sums[4 * i + 3] += virial * virial;
    }
  }
  for (std::size_t i = 0; i < size; ++i) {
    EXPECT_LT(std::abs(sums[4 * i]), 6 * std::sqrt(sums[4 * i + 1])) << "entry " << i;
    EXPECT_LT(std::abs(sums[4 * i + 2]), 6 * std::sqrt(sums[4 * i + 3])) << "entry " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(All, PosteriordbModels, testing::ValuesIn(test::posteriordb_names()), [](const auto& chosen) {
  std::string name(chosen.param);
  for (char& letter : name)
    if (letter == '-') letter = '_';
  return name;
});

using PosteriordbModel = test::WithPosteriordb<testing::Test>;

TEST_F(PosteriordbModel, ImproperOnesAreKnown) {
  const auto improper = [&](const char* name) {
    return test::make_posteriordb_model(name, folder_)->improper_parameter().value_or("none");
  };
  EXPECT_EQ(improper("kidiq-kidscore_interaction"), "beta");
  EXPECT_EQ(improper("mesquite-logmesquite"), "beta");
  EXPECT_EQ(improper("garch-garch11"), "mu");
  EXPECT_EQ(improper("kilpisjarvi_mod-kilpisjarvi"), "sigma");
  EXPECT_EQ(improper("arK-arK"), "none");
}

TEST_F(PosteriordbModel, OfTheGaussianProcessHasThePublishedEvidence) {
  TransformedTarget target(test::make_posteriordb_model("gp_pois_regr-gp_regr", folder_));
  const double published = -28.94175 + test::log_prior_constant("gp_pois_regr-gp_regr");  // ± 0.001
  const auto over = [&](auto f, double lower, double upper) { return test::integral(f, lower, upper, 60); };
  const double total = over(
      [&](double rho) {
        return over(
            [&](double alpha) {
              return over(
                  [&](double sigma) {
                    const LogDensity density = target.evaluate(Vector{rho, alpha, sigma});
                    return std::exp(density.reference + density.likelihood - published);
                  },
                  -12, 3);
            },
            -6, 4);
      },
      0.5, 3);
  EXPECT_NEAR(std::log(total), 0, 3e-3);
}

TEST_F(PosteriordbModel, OfTheOdeIsCloseToItsLimitWithTheUsualSteps) {
  TransformedTarget usual(test::make_posteriordb_model(kLotkaVolterra, folder_));
  TransformedTarget exact(exact_model(kLotkaVolterra, folder_));
  const auto points = reference_points(usual, kLotkaVolterra, folder_);
  for (std::size_t draw = 0; draw < points.size(); draw += 53) {
    Vector reference(8), likelihood(8), exact_likelihood(8);
    const double value = usual.evaluate(points[draw], reference, likelihood).likelihood;
    EXPECT_NEAR(value, exact.evaluate(points[draw], reference, exact_likelihood).likelihood, 0.02) << draw;
    for (std::size_t i = 0; i < 8; ++i)
      EXPECT_NEAR(likelihood[i], exact_likelihood[i], 0.02 * (1 + std::abs(likelihood[i]))) << draw << " entry " << i;
  }
}

TEST_F(PosteriordbModel, RefusesDataThatDoNotFit) {
  const auto refused = [](auto make, const std::string& text) {
    try {
      JsonData data(text, "in.json");
      make(data);
    } catch (const Error& error) {
      EXPECT_EQ(error.category(), Category::input);
      return error.message();
    }
    return std::string("accepted");
  };
  EXPECT_EQ(refused(test::make_ark, R"({"K": 1, "T": 5, "y": [1, 2, 3, 4]})"),
            "tempera: error: in.json: field 'y': expected an array of 5 numbers, found 4");
  EXPECT_EQ(refused(test::make_hmm_drive, R"({"N": 1, "K": 3, "u": [1], "v": [1]})"),
            "tempera: error: in.json: field 'K': 3 is out of range: from 2 to 2 expected");
  EXPECT_EQ(refused(test::make_kilpisjarvi, R"({"N": 3, "x": [1, 1, 1], "y": [1, 2, 3]})"),
            "tempera: error: the columns of the predictors depend on each other");
}

}  // namespace
}  // namespace tempera
