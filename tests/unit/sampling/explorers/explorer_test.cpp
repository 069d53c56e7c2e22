#include "core/sampling/explorer.hpp"

#include <cstring>
#include <type_traits>

#include "tests/unit/sampling/explorers/explorer_fixture.hpp"

namespace tempera {
namespace {

using namespace test;

TEST(PathDensity, TakesNothingTimesNoLikelihoodForNothing) {
  FunctionTarget target(1, [](In u, Out) { return u[0] > 0 ? std::nan("") : -1.0; });
  EXPECT_EQ(PathDensity(target, 0).combined({-2, kNone}), -2);
  EXPECT_EQ(PathDensity(target, 0.5).combined({-2, kNone}), kNone);
  PathDensity density(target, 1);
  LogDensity parts;
  const double bad[] = {1.0}, good[] = {-1.0};
  EXPECT_EQ(density.at(bad, parts), kNone);
  EXPECT_EQ(density.at(good, parts), -1);
  EXPECT_EQ(density.evaluations(), 2);
  EXPECT_EQ(density.invalid(), 1);
}

TEST(PathDensity, CombinesGradientsAndRefusesThoseThatAreNotFinite) {
  const double inf = std::numeric_limits<double>::infinity();
  const auto part = [=](double slope, double bad) -> Density {
    return [=](In u, Out gradient) {
      if (!gradient.empty()) gradient[0] = u[0] > 5 ? bad : slope;
      return slope * u[0];
    };
  };
  FunctionTarget target(1, part(2, 1e308), part(3, inf));
  LogDensity parts;
  double gradient[1];
  const double good[] = {1.0}, bad[] = {6.0};
  PathDensity half(target, 0.5), reference(target, 0);
  EXPECT_EQ(half.at(good, parts, gradient), 3.5);
  EXPECT_EQ(gradient[0], 3.5);
  EXPECT_EQ(half.at(bad, parts, gradient), kNone);
  EXPECT_EQ(parts.reference, kNone);
  EXPECT_EQ(half.invalid(), 1);
  EXPECT_EQ(half.gradients(), 2);
  EXPECT_EQ(reference.at(bad, parts, gradient), 12) << "the likelihood does not count";
  EXPECT_EQ(gradient[0], 1e308);
}

TEST(ChainReport, SumsStepsAndIsAPlainBlock) {
  static_assert(std::is_trivially_copyable_v<ChainReport>);
  StepRecord record{0.5, 7, 3, true, false, 1, {}};
  record.step_sizes[1] = {1, 0.5, -0.25};
  ChainReport report, whole;
  report.add(record);
  report.add(StepRecord{});
  whole.add(report);
  whole.add(report);
  EXPECT_EQ(whole.count, 4);
  EXPECT_EQ(whole.mean_acceptance(), 0.75);
  EXPECT_EQ(whole.proposals, 14);
  EXPECT_EQ(whole.divergences, 2);
  EXPECT_EQ(whole.saturations, 0);
  EXPECT_EQ(whole.step_sizes[1].count, 2);
  EXPECT_EQ(whole.step_sizes[1].acceptance, 1);
  EXPECT_EQ(whole.step_sizes[1].log_ratio, -0.5);
}

}  // namespace
}  // namespace tempera
