#include <array>

#include "tests/models/factories.hpp"
#include "tests/models/normal_regression.hpp"

namespace tempera::test {

namespace {

NormalRegression line(JsonData& data) {
  const Index count = data.integer("N", {.minimum = 3});
  const std::vector<double> year = data.numbers("x", {count});
  std::vector<double> x;
  for (const double value : year) x.insert(x.end(), {1, value});
  return {x, data.numbers("y", {count}), 2};
}

class Kilpisjarvi final : public RegressionModel {
 public:
  explicit Kilpisjarvi(JsonData& data)
      : RegressionModel(line(data)),
        mean_{data.real("pmualpha"), data.real("pmubeta")},
        sd_{data.real("psalpha", kPositive), data.real("psbeta", kPositive)},
        constant_(-detail::kLogTwoPi - std::log(sd_[0]) - std::log(sd_[1])) {}

  std::vector<ParameterBlock> parameters() const override {
    return {
        {"alpha", {}, Transform::identity()}, {"beta", {}, Transform::identity()}, {"sigma", {}, Transform::lower(0)}};
  }
  std::optional<std::string> improper_parameter() const override { return "sigma"; }
  double log_prior(std::span<const double> theta, std::span<double> gradient) override {
    double log_density = constant_;
    for (std::size_t j = 0; j < 2; ++j) {
      const double z = (theta[j] - mean_[j]) / sd_[j];
      log_density -= 0.5 * z * z;
      if (!gradient.empty()) gradient[j] = -z / sd_[j];
    }
    if (!gradient.empty()) gradient[2] = 0;
    return log_density;
  }
  std::unique_ptr<Model> clone() const override { return std::make_unique<Kilpisjarvi>(*this); }

 private:
  static constexpr OptionRange kPositive{.minimum = 0, .minimum_excluded = true};
  std::array<double, 2> mean_;  // of the priors of alpha and beta
  std::array<double, 2> sd_;
  double constant_;
};

}  // namespace

std::unique_ptr<Model> make_kilpisjarvi(JsonData& data) {
  return std::make_unique<Kilpisjarvi>(data);
}

}  // namespace tempera::test
