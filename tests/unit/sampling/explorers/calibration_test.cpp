// Simulation-based calibration (Talts, Betancourt, Simpson, Vehtari & Gelman 2018) of every explorer.
#include <array>

#include "core/sampling/explorers/explorers.hpp"
#include "tests/unit/sampling/explorers/explorer_fixture.hpp"

namespace tempera {
namespace {

using namespace test;

constexpr std::array kPredictor{-1.0, 0.0, 0.5, 2.0, 3.0};

/// Coefficients a, b ~ N(0, 1), y_i ~ N(a + b x_i, 1).
class LineTarget final : public Target {
 public:
  explicit LineTarget(std::array<double, 5> y) : Target({{"line", {2}, {}}}), y_(y) {}
  using Target::evaluate;
  LogDensity evaluate(In u, Out reference_gradient, Out likelihood_gradient) override {
    double likelihood = 0, slope_a = 0, slope_b = 0;
    for (std::size_t i = 0; i < y_.size(); ++i) {
      const double rest = y_[i] - u[0] - u[1] * kPredictor[i];
      likelihood -= 0.5 * rest * rest;
      slope_a += rest;
      slope_b += rest * kPredictor[i];
    }
    if (!reference_gradient.empty()) {
      reference_gradient[0] = -u[0];
      reference_gradient[1] = -u[1];
      likelihood_gradient[0] = slope_a;
      likelihood_gradient[1] = slope_b;
    }
    return {-0.5 * (u[0] * u[0] + u[1] * u[1]), likelihood};
  }
  bool has_gradient() const override { return true; }
  std::unique_ptr<Target> clone() const override { return std::make_unique<LineTarget>(*this); }

 private:
  std::array<double, 5> y_;
};

/// The posterior mean: Σx = 4.5, Σx² = 14.25 make the precision (6, 4.5; 4.5, 15.25).
std::vector<double> posterior_mean(const std::array<double, 5>& y) {
  double sum = 0, product = 0;
  for (std::size_t i = 0; i < y.size(); ++i) {
    sum += y[i];
    product += y[i] * kPredictor[i];
  }
  constexpr double kDeterminant = 6 * 15.25 - 4.5 * 4.5;
  return {(15.25 * sum - 4.5 * product) / kDeterminant, (6 * product - 4.5 * sum) / kDeterminant};
}

/// Ranks of true values among draws are uniform if the draws come from the posterior. Three quantities: both
/// coefficients, and the likelihood, which sees errors of the spread. False alarms have a probability below 1e-6 an explorer.
TEST(Calibration, RanksOfTheTruthAreUniformForEveryExplorer) {
  constexpr int kSimulations = 1000, kDraws = 19, kThin = 5, kWarmUp = 15;
  std::vector<std::string> texts{
      "slice:random-directions", "rwm:componentwise",        "rwm:diagonal", "nuts:dense", "hmc:dense", "mala:dense",
      "slice@1+rwm@2",           "elliptical:degrees=normal"};
  for (const ExplorerDescription& description : describe_explorers()) texts.push_back(description.name);
  for (const std::string& text : texts) {
    const auto explorer = make_explorer(text);
    const auto steps = static_cast<std::size_t>(explorer->step_size_count());
    ChainTuning tuning{{}, {0.6, 0.35}, {0.6, 0, -0.15, 0.3}, std::vector<double>(steps, 0.9)};  // roughly right
    std::array<std::vector<std::int64_t>, 3> ranks;
    for (auto& counts : ranks) counts.resize(kDraws + 1);
    for (int simulation = 0; simulation < kSimulations; ++simulation) {
      RandomStream stream(11, "calibration-test", {simulation});
      const double truth[] = {stream.normal(), stream.normal()};
      std::array<double, 5> y{};
      for (std::size_t i = 0; i < y.size(); ++i) y[i] = truth[0] + truth[1] * kPredictor[i] + stream.normal();
      LineTarget target(y);
      tuning.means = posterior_mean(y);
      tuning.means[0] += 0.1;
      PathDensity density(target, 1);
      SamplePoint point{{stream.normal(), stream.normal()}, {}};
      density.at(point.u, point.density);
      const double likelihood = target.evaluate(truth).likelihood;
      std::array<std::size_t, 3> below{};
      for (int k = 0; k < kWarmUp; ++k) explorer->step(density, tuning, point, stream);
      for (int draw = 0; draw < kDraws; ++draw) {
        for (int k = 0; k < kThin; ++k) explorer->step(density, tuning, point, stream);
        below[0] += point.u[0] < truth[0] ? 1 : 0;
        below[1] += point.u[1] < truth[1] ? 1 : 0;
        below[2] += point.density.likelihood < likelihood ? 1 : 0;
      }
      for (std::size_t q = 0; q < ranks.size(); ++q) ++ranks[q][below[q]];
    }
    for (std::size_t q = 0; q < ranks.size(); ++q)
      EXPECT_GT(chi_square_p_value(ranks[q], std::vector<double>(kDraws + 1, 1.0 / (kDraws + 1))), 3e-7)
          << text << ", quantity " << q;
  }
}

}  // namespace
}  // namespace tempera
