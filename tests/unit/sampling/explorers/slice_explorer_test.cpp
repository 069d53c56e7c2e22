#include "core/sampling/explorers/slice_explorer.hpp"

#include "tests/unit/sampling/explorers/explorer_fixture.hpp"

namespace tempera {
namespace {

using namespace test;

TEST(SliceExplorer, LeavesDensitiesInvariantWhateverTheScale) {
  for (const bool random_directions : {false, true}) {
    SliceExplorer explorer(SliceOptions{random_directions, 1});
    const std::string what = random_directions ? "random directions" : "coordinates";
    for (const double factor : {0.01, 1.0, 20.0})
      for (const ExactCase& exact : {two_modes(), bounded(0.5)})
        expect_invariance(explorer, exact, tuning_for(exact, factor, false, {}), what, 1);
    for (const ExactCase& exact :
         {correlated_normal(0.5), correlated_normal(1), log_gammas(0.5), small_funnel(), broken_density()})
      expect_invariance(explorer, exact, tuning_for(exact, 1, false, {}), what, 2);
  }
}

TEST(SliceExplorer, StaysInsideASupportOfTwoParts) {
  const auto inside = [](double x) { return (x > 0 && x < 1) || (x > 2 && x < 4); };
  ExactCase exact{
      "two intervals",
      std::make_shared<FunctionTarget>(1, [&](In u, Out) { return inside(u[0]) ? 0 : kNone; }),
      1,
      [](RandomStream& stream, Out u) {
        const double v = 3 * stream.uniform_open();
        u[0] = v < 1 ? v : v + 1;
      },
      {{"value", [](In u) { return u[0]; }, [](double x) { return x < 1 ? x / 3 : (std::max(x, 2.0) - 1) / 3; }}}};
  SliceExplorer explorer;
  for (const double scale : {0.05, 3.0}) expect_invariance(explorer, exact, {{}, {scale}, {}, {}}, "slice");
}

TEST(SliceExplorer, EndsWhereNoOtherPointIsInTheSlice) {
  FunctionTarget target(1, [](In u, Out) { return u[0] == 1.5 ? 0 : kNone; });
  SliceExplorer explorer;
  SamplePoint point{{1.5}, {0, 0}};
  PathDensity density(target, 1);
  RandomStream stream(1, "slice-end", {});
  explorer.step(density, {{}, {1.0}, {}, {}}, point, stream);
  EXPECT_EQ(point.u[0], 1.5);
  EXPECT_EQ(point.density.reference, 0);
  EXPECT_LT(density.evaluations(), 200);
}

}  // namespace
}  // namespace tempera
