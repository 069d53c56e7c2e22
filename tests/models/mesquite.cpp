#include <array>

#include "tests/models/factories.hpp"
#include "tests/models/normal_regression.hpp"

namespace tempera::test {

namespace {

constexpr std::size_t kPredictors = 7;
constexpr std::array<const char*, 5> kMeasures{"diam1", "diam2", "canopy_height", "total_height", "density"};

NormalRegression logarithms(JsonData& data) {
  constexpr OptionRange kPositive{.minimum = 0, .minimum_excluded = true};
  const Index count = data.integer("N", {.minimum = kPredictors});
  std::vector<double> weight = data.numbers("weight", {count}, kPositive);
  for (double& value : weight) value = std::log(value);
  std::vector<double> x(weight.size() * kPredictors, 1);
  for (std::size_t j = 0; j < kMeasures.size(); ++j) {
    const std::vector<double> measure = data.numbers(kMeasures[j], {count}, kPositive);
    for (std::size_t i = 0; i < measure.size(); ++i) x[i * kPredictors + 1 + j] = std::log(measure[i]);
  }
  const std::vector<double> group = data.numbers("group", {count});
  for (std::size_t i = 0; i < group.size(); ++i) x[i * kPredictors + kPredictors - 1] = group[i];
  return {x, weight, kPredictors};
}

class Mesquite final : public RegressionModel {
 public:
  explicit Mesquite(JsonData& data) : RegressionModel(logarithms(data)) {}

  std::vector<ParameterBlock> parameters() const override {
    return {{"beta", {kPredictors}, Transform::identity()}, {"sigma", {}, Transform::lower(0)}};
  }
  std::optional<std::string> improper_parameter() const override { return "beta"; }
  double log_prior(std::span<const double>, std::span<double> gradient) override {
    for (double& entry : gradient) entry = 0;
    return 0;
  }
  std::unique_ptr<Model> clone() const override { return std::make_unique<Mesquite>(*this); }
};

}  // namespace

std::unique_ptr<Model> make_mesquite(JsonData& data) {
  return std::make_unique<Mesquite>(data);
}

}  // namespace tempera::test
