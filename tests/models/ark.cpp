#include "tests/models/factories.hpp"
#include "tests/models/half_line.hpp"
#include "tests/models/normal_regression.hpp"

namespace tempera::test {

namespace {

constexpr double kCoefficientSd = 10;
constexpr double kSigmaScale = 2.5;

NormalRegression lagged(JsonData& data) {
  const Index order = data.integer("K", {.minimum = 1});
  const Index length = data.integer("T", {.minimum = static_cast<double>(2 * order + 2)});
  const std::vector<double> y = data.numbers("y", {length});
  std::vector<double> x;
  for (std::size_t t = static_cast<std::size_t>(order); t < y.size(); ++t) {
    x.push_back(1);
    for (std::size_t k = 1; k <= static_cast<std::size_t>(order); ++k) x.push_back(y[t - k]);
  }
  return {x, std::span(y).subspan(static_cast<std::size_t>(order)), static_cast<std::size_t>(order) + 1};
}

class Autoregression final : public RegressionModel {
 public:
  explicit Autoregression(JsonData& data) : RegressionModel(lagged(data)) {}

  std::vector<ParameterBlock> parameters() const override {
    return {{"alpha", {}, Transform::identity()},
            {"beta", {static_cast<Index>(predictors()) - 1}, Transform::identity()},
            {"sigma", {}, Transform::lower(0)}};
  }
  double log_prior(std::span<const double> theta, std::span<double> gradient) override {
    constexpr double kPrecision = 1 / (kCoefficientSd * kCoefficientSd);
    const double sigma = theta.back();
    if (!gradient.empty()) {
      for (std::size_t j = 0; j < predictors(); ++j) gradient[j] = -kPrecision * theta[j];
      gradient.back() = detail::log_half_cauchy_slope(sigma, kSigmaScale);
    }
    static const double log_sd = std::log(kCoefficientSd);
    return -0.5 * kPrecision * detail::squared_norm(theta.first(predictors())) -
           static_cast<double>(predictors()) * (0.5 * detail::kLogTwoPi + log_sd) +
           detail::log_half_cauchy(sigma, kSigmaScale);
  }
  bool samples_prior() const override { return true; }
  bool normalised_prior() const override { return true; }
  void sample_prior(RandomStream& stream, std::span<double> theta) override {
    for (std::size_t j = 0; j < predictors(); ++j) theta[j] = kCoefficientSd * stream.normal();
    theta.back() = half_cauchy_draw(stream, kSigmaScale);
  }
  std::unique_ptr<Model> clone() const override { return std::make_unique<Autoregression>(*this); }
};

}  // namespace

std::unique_ptr<Model> make_ark(JsonData& data) {
  return std::make_unique<Autoregression>(data);
}

}  // namespace tempera::test
