#include "tests/models/factories.hpp"
#include "tests/models/normal_regression.hpp"

namespace tempera::test {

namespace {

constexpr double kSigmaScale = 2.5;
constexpr std::size_t kPredictors = 4;

NormalRegression interaction(JsonData& data) {
  const Index count = data.integer("N", {.minimum = kPredictors});
  const std::vector<double> score = data.numbers("kid_score", {count});
  const std::vector<double> school = data.numbers("mom_hs", {count});
  const std::vector<double> iq = data.numbers("mom_iq", {count});
  std::vector<double> x;
  for (std::size_t i = 0; i < score.size(); ++i) x.insert(x.end(), {1, school[i], iq[i], school[i] * iq[i]});
  return {x, score, kPredictors};
}

class Kidscore final : public RegressionModel {
 public:
  explicit Kidscore(JsonData& data) : RegressionModel(interaction(data)) {}

  std::vector<ParameterBlock> parameters() const override {
    return {{"beta", {kPredictors}, Transform::identity()}, {"sigma", {}, Transform::lower(0)}};
  }
  std::optional<std::string> improper_parameter() const override { return "beta"; }
  double log_prior(std::span<const double> theta, std::span<double> gradient) override {
    const double sigma = theta[kPredictors];
    for (double& entry : gradient) entry = 0;
    if (!gradient.empty()) gradient[kPredictors] = detail::log_half_cauchy_slope(sigma, kSigmaScale);
    return detail::log_half_cauchy(sigma, kSigmaScale);
  }
  std::unique_ptr<Model> clone() const override { return std::make_unique<Kidscore>(*this); }
};

}  // namespace

std::unique_ptr<Model> make_kidscore(JsonData& data) {
  return std::make_unique<Kidscore>(data);
}

}  // namespace tempera::test
