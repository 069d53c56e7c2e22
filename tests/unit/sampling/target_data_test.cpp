#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "core/sampling/targets/gaussian_mixture.hpp"
#include "core/sampling/targets/generalised_regression.hpp"
#include "core/sampling/targets/linear_regression.hpp"
#include "core/sampling/targets/targets.hpp"
#include "tests/unit/io/io_fixture.hpp"
#include "tests/unit/sampling/differences.hpp"

namespace tempera {
namespace {

using Settings = std::vector<std::string>;
using test::Vector;

/// A table with its sizes, every number with 17 digits.
std::string regression_json(const RegressionData& table, bool sizes) {
  std::vector<std::string> rows;
  for (Index i = 0; i < table.observations(); ++i)
    rows.push_back(fmt::format("[{:.17g}]", fmt::join(table.row(i), table.row(i) + table.predictors, ", ")));
  const std::string counts = fmt::format(R"("N": {}, "K": {}, )", table.observations(), table.predictors);
  return fmt::format(R"({{{}"x": [{}], "y": [{:.17g}]}})", sizes ? counts : "", fmt::join(rows, ",\n"),
                     fmt::join(table.y, ", "));
}

const std::string kSchools = R"("y": [28, 8, -3, 7, -1, 1, 18, 12], "sigma": [15, 10, 16, 11, 9, 11, 10, 18]})";

class TargetData : public test::IoTest {
 protected:
  /// The same density and gradient at ten points as the target of these settings without data.
  void expect_built_in(const std::string& name, const Settings& with_data, const std::string& json,
                       const Settings& built_in) const {
    const auto one = make_target(name, with_data, file("in.json", json));
    const auto other = make_target(name, built_in);
    ASSERT_EQ(one->dimension(), other->dimension()) << name;
    const auto size = static_cast<std::size_t>(one->dimension());
    Vector reference(size), likelihood(size), other_reference(size), other_likelihood(size);
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
      const Vector u = test::random_vector(size, seed);
      const LogDensity a = one->evaluate(u, reference, likelihood);
      const LogDensity b = other->evaluate(u, other_reference, other_likelihood);
      EXPECT_EQ(a.reference, b.reference) << name;
      EXPECT_EQ(a.likelihood, b.likelihood) << name;
      EXPECT_EQ(reference, other_reference) << name;
      EXPECT_EQ(likelihood, other_likelihood) << name;
    }
    EXPECT_EQ(exact_log_evidence(name, with_data, path("in.json")), exact_log_evidence(name, built_in)) << name;
  }
  std::string refused(const std::string& name, const std::string& json, const Settings& settings = {},
                      int status = 3) const {
    return refusal([&] { make_target(name, settings, file("in.json", json)); }, status);
  }
};

TEST_F(TargetData, OfTheBuiltInOnesGiveTheSameDensities) {
  expect_built_in("eight-schools", {}, "{" + kSchools, {});
  expect_built_in("eight-schools", {"centred=true"}, "{\"J\": 8, " + kSchools, {"centred=true"});
  const RegressionData line = simulated_regression(ResponseFamily::gaussian, 20, 3, 5);
  const Settings table{"observations=20", "predictors=3", "seed=5"};
  expect_built_in("linear-regression", {}, regression_json(line, true), table);
  expect_built_in("sparse-regression", {}, regression_json(line, false), table);
  const auto and_scale = [&](Settings settings) {
    settings.push_back("scale=4");
    settings.push_back("prior=normal");
    return settings;
  };
  expect_built_in("sparse-regression", and_scale({}), regression_json(line, true), and_scale(table));
  expect_built_in("logistic-regression", {},
                  regression_json(simulated_regression(ResponseFamily::bernoulli, 20, 3, 5), true), table);
  expect_built_in("poisson-regression", {},
                  regression_json(simulated_regression(ResponseFamily::poisson, 20, 3, 5), false), table);
}

TEST_F(TargetData, OfOtherSizesAreTakenAsTheyCome) {
  const auto schools = make_target("eight-schools", {}, file("in.json", R"({"y": [1, 2], "sigma": [1, 0.5]})"));
  EXPECT_EQ(schools->dimension(), 4);
  const Vector u{0.3, -0.2, 1, 0};  // mu = tau = 1
  const double expected = -0.5 * (0.3 * 0.3 + 4 * (2 - 0.8) * (2 - 0.8)) - std::log(2 * M_PI) - std::log(0.5);
  EXPECT_NEAR(schools->evaluate(u).likelihood, expected, 1e-14);

  const Vector y{-1, 0.5, 3};
  const auto mixture = make_target("gaussian-mixture", Settings{"components=3", "ordered=true"},
                                   file("in.json", R"({"N": 3, "y": [-1, 0.5, 3]})"));
  TransformedTarget same(std::make_unique<GaussianMixtureModel>(y, 3, true));
  const Vector at = test::random_vector(8, 1);
  EXPECT_EQ(mixture->evaluate(at).likelihood, same.evaluate(at).likelihood);
}

TEST_F(TargetData, OfAChangePointHaveTheEvidenceOfItsQuadrature) {
  const auto data = file("in.json", R"({"y": [3, 5, 0]})");
  const auto target = make_target("change-point", {}, data);
  const double evidence = exact_log_evidence("change-point", {}, data).value();
  const double total = test::integral(
      [&](double early) {
        return test::integral(
            [&](double late) {
              const LogDensity density = target->evaluate(Vector{early, late});
              return std::exp(density.reference + density.likelihood - evidence);
            },
            -12, 4, 800);
      },
      -12, 4, 800);
  EXPECT_NEAR(total, 1, 1e-8);
  EXPECT_EQ(exact_log_evidence("poisson-regression", {}, file("p.json", R"({"x": [[1]], "y": [3]})")), std::nullopt);
}

TEST_F(TargetData, AreRefusedWhereTheyDoNotFit) {
  const std::string start = "tempera: error: in.json: ";
  const std::string schools = "\nhint: the data of eight-schools are J (optional), y [J], sigma [J]";
  EXPECT_EQ(refused("eight-schools", "{\"J\": 7, " + kSchools),
            start + "field 'y': expected an array of 7 numbers, found 8" + schools);
  EXPECT_EQ(refused("eight-schools", R"({"y": [1, 2], "sigma": [1, 0]})"),
            start + "field 'sigma': entry 2 of 2 is 0: above 0 expected" + schools);
  EXPECT_EQ(refused("eight-schools", R"({"y": [1, 2]})"), start + "field 'sigma' is missing" + schools);
  EXPECT_EQ(refused("eight-schools", "{\"schools\": 8, " + kSchools), start + "unknown field 'schools'" + schools);
  EXPECT_EQ(refused("eight-schools", "{\"j\": 8, " + kSchools), start + "unknown field 'j'\nhint: did you mean 'J'?");
  EXPECT_EQ(refused("eight-schools", R"({"y": [], "sigma": []})"),
            start + "field 'y': an array without entries" + schools);
  const auto regression = [](const std::string& name) {
    return "\nhint: the data of " + name + "-regression are N (optional), K (optional), x [N × K], y [N]";
  };
  EXPECT_EQ(refused("linear-regression", R"({"x": [[1, 2], [1]], "y": [1, 2]})"),
            start + "field 'x': row 2 of 2 has 1 entries, not 2" + regression("linear"));
  EXPECT_EQ(refused("logistic-regression", R"({"x": [[1], [1]], "y": [1, 2]})"),
            start + "field 'y': entry 2 of 2 is 2: from 0 to 1 expected" + regression("logistic"));
  EXPECT_EQ(refused("poisson-regression", R"({"x": [[1], [1]], "y": [1, 2.5]})"),
            start + "field 'y': entry 2 of 2 is 2.5, not a whole number" + regression("poisson"));
  EXPECT_EQ(refused("sparse-regression", R"({"x": [[1], [1]], "y": [1, 2.5]})"),
            start + "a horseshoe prior needs a predictor besides the intercept");
  EXPECT_EQ(refused("linear-regression", R"({"x": [[1e200], [1]], "y": [1, 2.5]})"),
            start + "squares of the predictors or responses overflow\nhint: use other units");
  EXPECT_EQ(refused("change-point", R"({"y": [1, -1]})"), start +
                                                              "field 'y': entry 2 of 2 is -1: at least 0 expected\n"
                                                              "hint: the data of change-point are N (optional), y [N]");
}

TEST_F(TargetData, AreRefusedBesideSettingsOfSimulatedOnesAndWhereThereAreNone) {
  EXPECT_EQ(refused("linear-regression", R"({"x": [[1]], "y": [1]})", {"predictors=1"}, 2),
            "tempera: error: --set: predictors describes simulated data, but --data gives others\n"
            "hint: leave out predictors or --data");
  EXPECT_EQ(refused("gaussian-mixture", R"({"y": [1]})", {"components=2", "seed=0"}, 2),
            "tempera: error: --set: seed describes simulated data, but --data gives others\n"
            "hint: leave out seed or --data");
  EXPECT_EQ(refused("gaussian", "{}", {}, 2),
            "tempera: error: --data: target gaussian has no data\n"
            "hint: targets with data are eight-schools, linear-regression, sparse-regression, logistic-regression, "
            "poisson-regression, gaussian-mixture, change-point");
  EXPECT_EQ(refused("ising", "not even JSON", {}, 2).substr(0, 52),
            "tempera: error: --data: target ising has no data\nhin");
  EXPECT_EQ(refusal([&] { exact_log_evidence("funnel", {}, path("absent.json")); }, 2).substr(0, 48),
            "tempera: error: --data: target funnel has no dat");
}

TEST(TargetDescriptions, SayWhichFieldsDataHave) {
  for (const TargetDescription& target : describe_targets()) {
    if (target.name != "linear-regression") continue;
    ASSERT_EQ(target.data.size(), 4u);
    EXPECT_EQ(target.data[0].name, "N");
    EXPECT_TRUE(target.data[0].optional);
    EXPECT_EQ(target.data[2].name, "x");
    EXPECT_EQ(target.data[2].shape, "N × K");
    EXPECT_FALSE(target.data[2].optional);
    for (const TargetSetting& setting : target.settings) EXPECT_TRUE(setting.simulation) << setting.name;
    return;
  }
  ADD_FAILURE() << "linear-regression is not described";
}

}  // namespace
}  // namespace tempera
