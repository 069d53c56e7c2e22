// Hamiltonian and Langevin explorers: what they have in common.
#include "core/base/error.hpp"
#include "core/sampling/explorers/explorers.hpp"
#include "core/sampling/explorers/nuts_explorer.hpp"
#include "tests/unit/sampling/explorers/explorer_fixture.hpp"

namespace tempera {
namespace {

using namespace test;

class GradientExplorers : public testing::TestWithParam<const char*> {};

INSTANTIATE_TEST_SUITE_P(All, GradientExplorers,
                         testing::Values("nuts", "nuts:dense", "nuts:max-depth=2", "hmc", "hmc:dense",
                                         "hmc:length=3,jitter=1", "mala:moves=2", "mala:dense", "automala:moves=3"),
                         [](const auto& test) {
                           std::string name = test.param;
                           for (char& letter : name)
                             if (std::isalnum(static_cast<unsigned char>(letter)) == 0) letter = '_';
                           return name;
                         });

TEST_P(GradientExplorers, LeaveDensitiesInvariantWithGoodAndBadSteps) {
  const auto explorer = make_explorer(GetParam());
  EXPECT_TRUE(explorer->needs_gradient());
  for (const ExactCase& exact : {correlated_normal(0.5), correlated_normal(1), log_gammas(0.5), bounded(0.5),
                                 bounded(1), broken_density(), broken_gradient(), small_funnel(), two_modes()})
    for (const double step : {0.2, 1.0, 2.5})
      expect_invariance(*explorer, exact, tuning_for(exact, 1, explorer->wants_covariance(), {step}),
                        GetParam() + std::string(", step ") + std::to_string(step));
}

TEST_P(GradientExplorers, StayWhereTheGradientIsBroken) {
  const auto explorer = make_explorer(GetParam());
  const ExactCase exact = broken_gradient();
  PathDensity density(*exact.target, 1);
  SamplePoint point{{-1}, {}};
  density.at(point.u, point.density);
  RandomStream stream(1, "gradient-test", {});
  const ChainTuning tuning{{0}, {1}, {}, {1}};
  const StepRecord record = explorer->step(density, tuning, point, stream);
  EXPECT_EQ(point.u[0], -1);
  EXPECT_EQ(point.density.reference, -0.5);
  EXPECT_EQ(record.acceptance, 0);
  ChainReport report;
  report.add(record);
  EXPECT_EQ(explorer->next_step_sizes(tuning, tuning, report)[0], 1) << "nothing was learnt of the step";
  EXPECT_EQ(density.invalid(), 1);
}

TEST_P(GradientExplorers, BeginWithAStepOfTheRightOrder) {
  const auto explorer = make_explorer(GetParam());
  for (const double factor : {1e-4, 1.0, 1e4}) {
    const ExactCase exact = correlated_normal(1);
    ChainTuning tuning = tuning_for(exact, factor, true, {});
    PathDensity density(*exact.target, 1);
    RandomStream stream(1, "gradient-test", {});
    SamplePoint point{{0.1, 0.0, -0.1}, {}};
    density.at(point.u, point.density);
    const double step = explorer->first_step_sizes(density, tuning, point, stream)[0];
    EXPECT_GT(step * factor, 0.01) << factor;
    EXPECT_LT(step * factor, 4) << factor;
  }
}

}  // namespace
}  // namespace tempera
