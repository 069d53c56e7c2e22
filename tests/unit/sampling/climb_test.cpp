#include "core/sampling/climb.hpp"

#include "tests/unit/sampling/explorers/explorer_fixture.hpp"

namespace tempera {
namespace {

using namespace test;

constexpr Index kMost = 200;

/// Climbs from `start`; the density that comes back is that of the point, and the evaluations are within bounds.
SamplePoint climbed(Target& target, std::vector<double> start, Index most = kMost) {
  SamplePoint point{std::move(start), {}};
  PathDensity density(target, 1);
  const double before = density.at(point.u, point.density);
  climb(density, point, most);
  EXPECT_LE(density.gradients(), most);
  LogDensity again;
  const double after = density.at(point.u, again);
  EXPECT_GE(after, before);
  EXPECT_EQ(again.reference, point.density.reference);
  EXPECT_EQ(again.likelihood, point.density.likelihood);
  return point;
}

/// Scales from 1e-3 to 10, mode at (1, 2, …), log density 0 there.
FunctionTarget badly_scaled(Index dimension) {
  return {dimension, [](In u, Out gradient) {
            double sum = 0;
            for (std::size_t i = 0; i < u.size(); ++i) {
              const double share = static_cast<double>(i) / static_cast<double>(u.size() - 1);
              const double precision = std::pow(10.0, 6 - 8 * share);
              const double distance = u[i] - static_cast<double>(i + 1);
              sum -= 0.5 * precision * distance * distance;
              if (!gradient.empty()) gradient[i] = -precision * distance;
            }
            return sum;
          }};
}

TEST(Climb, EndsNearTheModeOfABadlyScaledDensity) {
  constexpr Index kDimension = 5;
  FunctionTarget target = badly_scaled(kDimension);
  const SamplePoint point = climbed(target, {40, -30, 20, 10, 0});  // lower than the mode by 1e8 and more
  EXPECT_GT(point.density.reference, -10.0 * kDimension);
}

TEST(Climb, HasAnEndWhereTheDensityHasNoMode) {
  FunctionTarget target(1, [](In u, Out gradient) {
    if (!gradient.empty()) gradient[0] = 1;
    return u[0];
  });
  EXPECT_GT(climbed(target, {0}, 30).u[0], 1);
}

TEST(Climb, TurnsBackFromWhereTheDensityIsZeroOrNoNumber) {
  for (const double beyond : {kNone, std::nan("")}) {
    FunctionTarget target(1, [&](In u, Out gradient) {
      if (!gradient.empty()) gradient[0] = 100;
      return u[0] < 0.3 ? 100 * u[0] : beyond;
    });
    const SamplePoint point = climbed(target, {0});
    EXPECT_GT(point.u[0], 0.2);
    EXPECT_LT(point.u[0], 0.3);
  }
}

TEST(Climb, StaysWhereThereIsNoDensity) {
  FunctionTarget target(1, [](In, Out gradient) {
    if (!gradient.empty()) gradient[0] = 1;
    return kNone;
  });
  SamplePoint point{{2.0}, {kNone, 0}};
  PathDensity density(target, 1);
  climb(density, point, kMost);
  EXPECT_EQ(point.u[0], 2);
}

}  // namespace
}  // namespace tempera
