#include "distributed/bayesopt/detail/messages.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "distributed/bayesopt/optimization_plan.hpp"

namespace tempera::detail {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

template <class Kind>
Kind sent(const Kind& message) {
  return std::get<Kind>(message_from_text(to_text(message)));
}

TrialResult failure() {
  TrialResult result;
  result.status = TrialStatus::crashed;
  result.constraints = {{"mass", 0.1}, {"heat", kNaN}};
  result.cost = 3;
  result.seconds = 1e-300;
  result.reason = "signal 11\n\"quoted\" \xff";
  return result;
}

void expect_same(const TrialResult& a, const TrialResult& b) {
  EXPECT_EQ(a.status, b.status);
  EXPECT_TRUE(a.value == b.value || (std::isnan(a.value) && std::isnan(b.value)));
  EXPECT_EQ(a.constraints.at("mass"), b.constraints.at("mass"));
  EXPECT_TRUE(std::isnan(b.constraints.at("heat")));
  EXPECT_EQ(a.cost, b.cost);
  EXPECT_EQ(a.seconds, b.seconds);
  EXPECT_EQ(a.reason, b.reason);
}

TEST(Messages, ComeBackToTheBit) {
  const TrialRequest request = sent(TrialRequest{7, 2, 0xffffffffffffffffULL, {0.1, kNaN, 3}});
  EXPECT_EQ(request.number, 7);
  EXPECT_EQ(request.attempt, 2);
  EXPECT_EQ(request.seed, 0xffffffffffffffffULL);
  EXPECT_EQ(request.point[0], 0.1);
  EXPECT_TRUE(std::isnan(request.point[1]));
  EXPECT_EQ(request.point[2], 3);
  const TrialAnswer answer = sent(TrialAnswer{5, 1, failure()});
  EXPECT_EQ(answer.number, 5);
  expect_same(failure(), answer.result);
  const ModelRequest asked = sent(ModelRequest{9, 4, {{3, {0.5}, failure(), 2}, {4, {0.25}, {}, 3}}, {{6, {0.75}}}});
  EXPECT_EQ(asked.known, 4);
  ASSERT_EQ(asked.finished.size(), 2);
  expect_same(failure(), asked.finished[0].result);
  EXPECT_EQ(asked.finished[1].known, 3);
  EXPECT_EQ(asked.pending.at(0).point, Point{0.75});
  sent(LeaveMessage{});
  sent(StopWishMessage{});
}

TEST(Messages, WhatAProposerSaysKeepsItsOrderAndItsNumbers) {
  const Proposal chosen{{0.5, 0.25},
                        {{"rule", "log-ei"}, {"trials", 20U}, {"acquisition", -1.0 / 3}, {"none", nullptr}}};
  const Proposal came = sent(ModelAnswer{chosen}).proposal;
  EXPECT_EQ(came.point, chosen.point);
  EXPECT_EQ(came.why.dump(), chosen.why.dump());
  const Proposal none = sent(ModelAnswer{}).proposal;  // of a space where every point is tried
  EXPECT_TRUE(none.point.empty());
  EXPECT_TRUE(none.why.is_null());
}

TEST(Messages, AreAsLongWhateverTheNumbersAre) {
  const auto request = [](Index number, double x) { return to_text(TrialRequest{number, 0, 3, {x, 1}}).size(); };
  EXPECT_EQ(request(0, 0), request(123456, -1e-7 / 3));
  EXPECT_EQ(request(0, 0), request(0, kNaN));
  const auto said = [](double value) {
    return to_text(ModelAnswer{{{0.5}, {{"trials", 20}, {"acquisition", value}}}}).size();
  };
  EXPECT_EQ(said(0), said(-1.0 / 3));
}

TEST(Messages, LettersToAModelAreCountedForAnyNumberOfTrials) {
  const std::vector<std::string> names{"mass", "heat"};
  const ModelLetters letters(3, names);
  TrialResult result;
  for (const std::string& name : names) result.constraints[name] = 1.5;
  for (const std::size_t told : {0, 1, 2, 3, 17})
    for (const std::size_t pending : {0, 1, 2, 5, 64}) {
      ModelRequest request{100, 50, std::vector<Trial>(told, {8, {1, 2, 3}, result, 4}),
                           std::vector<PendingTrial>(pending, {9, {1, kNaN, 3}})};
      const auto bytes = std::ssize(to_text(request));
      EXPECT_EQ(letters.request(std::ssize(request.finished), std::ssize(request.pending)).messages, (bytes + 15) / 16)
          << told << " " << pending;
    }
}

}  // namespace
}  // namespace tempera::detail
