#include "core/bayesopt/warm_start.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/base/error.hpp"
#include "tests/unit/bayesopt/spaces.hpp"

namespace tempera::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Trial trial(Index number, const Space& space, const nlohmann::json& values, double value) {
  Trial trial{number, space.from_json(values), {}};
  trial.result.value = value;
  return trial;
}

Trial failed(Trial trial) {
  trial.result.status = TrialStatus::failed;
  return trial;
}

std::string refusal(const Space& space, const Space& source, const std::vector<Trial>& trials) {
  try {
    adopt_trials(space, source, trials, "runs/a", false);
  } catch (const Error& error) {
    EXPECT_EQ(error.category(), Category::input);
    EXPECT_EQ(error.where(), "runs/a");
    return error.what_is_wrong();
  }
  return "none";
}

TEST(WarmStart, TheDescriptionOfASpaceGivesTheSpaceBack) {
  Parameter wide = integer("wide", 0, 0);
  wide.whole_low = -9007199254740993;  // no double is that number
  wide.low = static_cast<double>(*wide.whole_low);
  wide.whole_high = -9007199254740000;
  wide.high = static_cast<double>(*wide.whole_high);
  Parameter unit = real("t");
  unit.unit = "s";
  unit.low = 1e-7;
  unit.log_scale = true;
  unit.initial = 0.01;
  Parameter ordinal = real("order");
  ordinal.type = ParameterType::ordinal;
  ordinal.choices = {1, 2.5, 16};
  for (const Space& space : {mixed_space(), cube(2, {"x0 + x1 <= 1"}), Space({wide, unit, ordinal})}) {
    const Space again = Space::from_description(nlohmann::ordered_json::parse(space.description().dump()));
    EXPECT_EQ(again.description(), space.description());
    EXPECT_EQ(again.features(), space.features());
  }
}

TEST(WarmStart, ParametersAreMatchedByNameAndWhatDoesNotExistHereIsLeftOutAndCounted) {
  const Space source({integer("n", 0, 9), real("x"), categorical("kind", 4), real("old")});
  Parameter fresh = real("fresh");
  Parameter with_initial = integer("m", 0, 10);
  with_initial.initial = 7;
  Parameter x = real("x");
  x.high = 0.5;
  const Space space({x, categorical("kind", 3), integer("n", 0, 9), fresh, with_initial});
  const auto point = [](int n, double at, const char* kind) {
    return nlohmann::json{{"n", n}, {"x", at}, {"kind", kind}, {"old", 0.9}};
  };
  const SourceTrials adopted = adopt_trials(space, source,
                                            std::vector<Trial>{trial(0, source, point(3, 0.25, "choice 2"), 5),
                                                               trial(1, source, point(3, 0.75, "choice 0"), 4),
                                                               failed(trial(2, source, point(4, 0.5, "choice 1"), 0)),
                                                               trial(3, source, point(4, 0.1, "choice 3"), 3)},
                                            "runs/a", true);
  ASSERT_EQ(adopted.trials.size(), 2u);
  EXPECT_TRUE(adopted.same_task);
  EXPECT_EQ(adopted.left_out, 2);
  EXPECT_THAT(adopted.trials[0].point, ElementsAre(0.5, 2, 3, 0.5, 7));
  EXPECT_EQ(adopted.trials[0].result.value, 5);
  EXPECT_EQ(adopted.trials[1].number, 2);
  EXPECT_EQ(adopted.trials[1].result.status, TrialStatus::failed);
  EXPECT_THAT(adopted.notes, ElementsAre("1 of 4 trials left out: their values of 'x' do not exist here",
                                         "1 of 4 trials left out: their values of 'kind' do not exist here",
                                         "it does not know 'fresh', 'm': the initial value or the middle is taken",
                                         "its 'old' is not known here"));
}

TEST(WarmStart, ConditionalParametersFollowTheirParentHere) {
  const Space source({boolean("a"), real("x")});
  const Space space({boolean("a"), when(real("x"), "a", {true}), when(real("y"), "a", {true})});
  const std::vector<Trial> trials{trial(0, source, {{"a", false}, {"x", 0.2}}, 1),
                                  trial(1, source, {{"a", true}, {"x", 0.2}}, 1)};
  const SourceTrials adopted = adopt_trials(space, source, trials, "runs/a", false);
  EXPECT_TRUE(std::isnan(adopted.trials[0].point[1]));
  EXPECT_TRUE(std::isnan(adopted.trials[0].point[2]));
  EXPECT_THAT(adopted.trials[1].point, ElementsAre(1, 0.2, 0.5));
  EXPECT_EQ(space.to_json(adopted.trials[0].point).dump(), R"({"a":false})");
}

TEST(WarmStart, RefusesASourceThatHasNothingToSay) {
  const Space source({real("a"), real("b")});
  const std::vector<Trial> trials{trial(0, source, {{"a", 0.1}, {"b", 0.2}}, 1)};
  EXPECT_EQ(refusal(cube(2), source, trials),
            "its space shares no parameter with this one: it has 'a', 'b', this one 'x0', 'x1'");
  EXPECT_EQ(refusal(source, source, {failed(trials[0])}),
            "has no trial that succeeded: nothing can be learned from it");
  EXPECT_EQ(refusal(source, source, {}), "has no trial that succeeded: nothing can be learned from it");
  EXPECT_EQ(refusal(Space({boolean("a")}), source, trials),
            "none of its trials that succeeded lies in this space: 1 of 1 trials left out: their values of 'a' do not "
            "exist here");
}

TEST(WarmStart, TheBestTrialsThatLieApartAreTakenInTurn) {
  const Space space = cube(2, {"x0 + x1 < 1.5"});
  SourceTrials one{"one", false, {}}, two{"two", false, {}};
  const auto add = [&](SourceTrials& source, double a, double b, double value) {
    source.trials.push_back(trial(0, space, {{"x0", a}, {"x1", b}}, value));
  };
  add(one, 0.1, 0.1, 3);
  add(one, 0.9, 0.9, 0);  // may not be tried
  add(one, 0.5, 0.5, 1);
  add(one, 0.52, 0.5, 2);  // too near
  one.trials.push_back(failed(trial(0, space, {{"x0", 0.3}, {"x1", 0.3}}, -1)));
  add(two, 0.5, 0.45, 1);  // too near one of the other
  add(two, 0.9, 0.1, 2);
  const std::vector<SourceTrials> sources{one, two};
  EXPECT_THAT(best_apart(space, sources, 9), ElementsAre(Point{0.5, 0.5}, Point{0.9, 0.1}, Point{0.1, 0.1}));
  EXPECT_THAT(best_apart(space, sources, 1), ElementsAre(Point{0.5, 0.5}));
  EXPECT_THAT(best_apart(space, {}, 3), IsEmpty());
}

}  // namespace
}  // namespace tempera::test
