#include "core/sampling/explorers/explorers.hpp"

#include "core/base/error.hpp"
#include "tests/unit/sampling/explorers/explorer_fixture.hpp"

namespace tempera {
namespace {

using namespace test;

std::string message(std::string_view text) {
  try {
    make_explorer(text);
  } catch (const Error& error) {
    return error.message();
  }
  return "none";
}

TEST(Explorers, AreMadeByTheirNames) {
  for (const ExplorerDescription& description : describe_explorers()) {
    EXPECT_EQ(make_explorer(description.name)->needs_gradient(), description.needs_gradient);
    EXPECT_FALSE(description.summary.empty());
    std::string text = description.name;
    for (const NamedSetting& setting : description.settings) {  // defaults are accepted as they are shown
      text += (text == description.name ? ":" : ",") + setting.name + "=" + setting.default_value;
      EXPECT_FALSE(setting.help.empty()) << description.name << " " << setting.name;
    }
    EXPECT_EQ(message(text), "none") << text;
  }
}

TEST(Explorers, RefuseWhatTheyDoNotKnow) {
  EXPECT_EQ(message("slise"), "tempera: error: --explorer: unknown explorer 'slise'\nhint: did you mean 'slice'?");
  EXPECT_NE(message("gibberish").find("hint: explorers are slice, rwm"), std::string::npos);
  EXPECT_NE(message("").find("unknown explorer ''"), std::string::npos);
  EXPECT_NE(message("slice+").find("unknown explorer ''"), std::string::npos);
  EXPECT_EQ(message("slice:pases=2"),
            "tempera: error: --explorer: explorer slice has no setting 'pases'\nhint: did you mean 'passes'?");
  EXPECT_EQ(message("slice:passes"), "tempera: error: --explorer: 'passes' is not of the form key=value");
  EXPECT_EQ(message("slice:passes=0"),
            "tempera: error: --explorer: passes: 0 is out of range: from 1 to 1000000 expected");
  EXPECT_EQ(message("rwm:target=0.3,target=0.4"), "tempera: error: --explorer: target is given twice");
  EXPECT_EQ(message("slice@2+rwm"),
            "tempera: error: --explorer: 'slice@2+rwm' gives weights to some explorers and not to others\n"
            "hint: with weights one is drawn at random each step, without them all take their turn");
  EXPECT_EQ(message("slice@much+rwm@1"), "tempera: error: --explorer: weight 'much' is not a number");
  EXPECT_EQ(message("slice@-1+rwm@2"),
            "tempera: error: --explorer: weights of a mixture are nonnegative numbers, not all zero");
  EXPECT_EQ(message("rwm+rwm+rwm+rwm+rwm"),
            "tempera: error: --explorer: the explorers have 5 step sizes between them, at most 4 are learnt");
  EXPECT_EQ(message("slice:random-directions@1+rwm:componentwise,proposals=3@2"), "none");
}

TEST(CompositeExplorers, LeaveDensitiesInvariant) {
  for (const char* text :
       {"slice+rwm:diagonal+rwm:componentwise", "slice@1+rwm@3", "rwm:proposals=2@1+rwm:proposals=1@0"})
    for (const ExactCase& exact : {correlated_normal(0.5), bounded(1)}) {
      const auto explorer = make_explorer(text);
      const auto steps = static_cast<std::size_t>(explorer->step_size_count());
      expect_invariance(*explorer, exact, tuning_for(exact, 1, true, std::vector<double>(steps, 1.0)), text);
    }
}

TEST(CompositeExplorers, LearnEachStepSize) {
  const ExactCase exact = correlated_normal(1);
  const auto explorer = make_explorer("rwm:proposals=1+slice+rwm:componentwise");
  ASSERT_EQ(explorer->step_size_count(), 2);
  EXPECT_TRUE(explorer->wants_covariance());
  ChainTuning tuning = tuning_for(exact, 1, true, {100, 1e-3});
  PathDensity density(*exact.target, 1);
  RandomStream stream(1, "composite-test", {});
  SamplePoint point{std::vector<double>(3, 0.0), {}};
  density.at(point.u, point.density);
  const std::vector<double> first = explorer->clone()->first_step_sizes(density, tuning, point, stream);
  ASSERT_EQ(first.size(), 2u);
  EXPECT_NEAR(first[0], 2.38 / std::sqrt(3.0), 1e-12);
  EXPECT_EQ(first[1], 2.38);
  ChainReport report;
  for (int k = 0; k < 100; ++k) report.add(explorer->clone()->step(density, tuning, point, stream));
  EXPECT_EQ(report.step_sizes[0].count, 100);
  EXPECT_EQ(report.step_sizes[1].count, 100);
  const std::vector<double> next = explorer->next_step_sizes(tuning, tuning, report);
  EXPECT_LT(next[0], 50);
  EXPECT_GT(next[1], 2e-3);
}

}  // namespace
}  // namespace tempera
