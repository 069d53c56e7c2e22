// Explorers that lean on a normal or t approximation, and kernels of one's own.
#include "core/sampling/explorers/explorers.hpp"
#include "core/sampling/explorers/function_explorer.hpp"
#include "tests/unit/sampling/explorers/explorer_fixture.hpp"

namespace tempera {
namespace {

using namespace test;

TEST(ApproximationExplorers, LeaveDensitiesInvariantWhateverTheApproximation) {
  for (const char* text : {"elliptical", "elliptical:degrees=normal,passes=2", "elliptical:diagonal", "independence",
                           "independence:degrees=normal", "independence:degrees=1,diagonal"}) {
    const auto explorer = make_explorer(text);
    EXPECT_FALSE(explorer->needs_gradient());
    EXPECT_EQ(explorer->step_size_count(), 0);
    for (const ExactCase& exact : {correlated_normal(0.5), correlated_normal(1), log_gammas(0.5), bounded(0.5),
                                   broken_density(), small_funnel(), two_modes()})
      for (const double factor : {0.3, 1.0, 3.0}) {
        ChainTuning tuning = tuning_for(exact, factor, explorer->wants_covariance(), {});
        for (double& mean : tuning.means) mean += factor;
        expect_invariance(*explorer, exact, tuning, text, 1);
        tuning.means.clear();
        tuning.covariance_factor.clear();
        expect_invariance(*explorer, exact, tuning, text + std::string(", little known"), 1, 3000);
      }
  }
}

TEST(EllipticalSliceExplorer, TakesOneEvaluationAPassWhereTheApproximationIsTheDensity) {
  const ExactCase exact = correlated_normal(1);
  const auto explorer = make_explorer("elliptical:degrees=normal,passes=1000");
  PathDensity density(*exact.target, 1);
  SamplePoint point{{0, 0, 0}, {}};
  density.at(point.u, point.density);
  RandomStream stream(1, "elliptical-test", {});
  ChainTuning tuning = tuning_for(exact, 1, true, {});
  EXPECT_LT(explorer->step(density, tuning, point, stream).proposals, 1500) << "of estimated moments";
}

TEST(EllipticalSliceExplorer, EndsWhereNoOtherPointIsInTheSlice) {
  FunctionTarget target(2, [](In u, Out) { return u[0] == 1.5 ? 0 : kNone; });
  const auto explorer = make_explorer("elliptical");
  SamplePoint point{{1.5, 0}, {0, 0}};
  PathDensity density(target, 1);
  RandomStream stream(1, "elliptical-test", {});
  explorer->step(density, {{}, {1.0, 1.0}, {}, {}}, point, stream);
  EXPECT_EQ(point.u[0], 1.5);
  EXPECT_LT(density.evaluations(), 1000);
}

TEST(FunctionExplorer, RunsAGibbsKernelAndKeepsTheDensityCurrent) {
  const ExactCase exact = small_funnel();
  FunctionExplorer gibbs([](PathDensity& density, const ChainTuning&, Out u, RandomStream& stream) {
    EXPECT_EQ(density.beta(), 1);
    u[1] = std::exp(u[0]) * stream.normal();
  });
  expect_invariance(gibbs, exact, {}, "gibbs");

  EXPECT_FALSE(gibbs.needs_gradient());
  EXPECT_TRUE(FunctionExplorer({}, {true, true}).needs_gradient());
  EXPECT_TRUE(FunctionExplorer({}, {true, true}).clone()->wants_covariance());
}

TEST(FunctionExplorer, StaysWhereTheKernelLeavesTheSupport) {
  FunctionTarget target(1, [](In u, Out) { return u[0] < 1 ? 0 : u[0] < 2 ? kNone : std::nan(""); });
  PathDensity density(target, 1);
  RandomStream stream(1, "function-test", {});
  for (const double to : {1.5, 2.5}) {
    FunctionExplorer away([to](PathDensity&, const ChainTuning&, Out u, RandomStream&) { u[0] = to; });
    SamplePoint point{{0.5}, {0, 0}};
    EXPECT_EQ(away.step(density, {}, point, stream).acceptance, 0);
    EXPECT_EQ(point.u[0], 0.5);
    EXPECT_EQ(point.density.reference, 0);
  }
}

}  // namespace
}  // namespace tempera
