#include "core/sampling/gradient_check.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "core/base/error.hpp"
#include "core/sampling/targets/targets.hpp"

namespace tempera {
namespace {

using In = std::span<const double>;
using Out = std::span<double>;

/// Another target whose gradients a test spoils.
class Spoilt final : public Target {
 public:
  using Spoil = std::function<void(In u, Out reference, Out likelihood)>;
  Spoilt(std::unique_ptr<Target> target, Spoil spoil)
      : Target(target->parameters()), target_(std::move(target)), spoil_(std::move(spoil)) {}
  using Target::evaluate;
  LogDensity evaluate(In u, Out reference, Out likelihood) override {
    const LogDensity density = target_->evaluate(u, reference, likelihood);
    if (!reference.empty()) spoil_(u, reference, likelihood);
    return density;
  }
  bool has_gradient() const override { return true; }
  std::unique_ptr<Target> clone() const override { return std::make_unique<Spoilt>(target_->clone(), spoil_); }

 private:
  std::unique_ptr<Target> target_;
  Spoil spoil_;
};

/// A function of one block and its derivative.
class Given final : public Target {
 public:
  using Function = std::function<double(In u, Out gradient)>;
  Given(std::vector<ParameterBlock> blocks, Function function)
      : Target(std::move(blocks)), function_(std::move(function)) {}
  using Target::evaluate;
  LogDensity evaluate(In u, Out reference, Out likelihood) override {
    for (double& entry : reference) entry = 0;
    return {0, function_(u, likelihood)};
  }
  bool has_gradient() const override { return true; }
  std::unique_ptr<Target> clone() const override { return std::make_unique<Given>(*this); }

 private:
  Function function_;
};

std::string complaint(Target& target, const std::vector<double>& u) {
  try {
    check_gradient(target, u);
  } catch (const Error& error) {
    EXPECT_EQ(error.category(), Category::input);
    return error.message();
  }
  return "";
}

std::vector<double> draw(Target& target, Index number) {
  std::vector<double> u(static_cast<std::size_t>(target.dimension()));
  RandomStream stream(9, "gradient-test", {number});
  target.sample_reference(stream, u);
  return u;
}

TEST(GradientCheck, AcceptsAllBuiltInTargets) {
  const std::vector<std::pair<std::string, std::vector<std::string>>> variants{
      {"gaussian", {"dim=300", "precision=1e8"}},
      {"eight-schools", {"centred=true"}},
      {"binomial-product", {"trials=100000", "successes=50000"}},
      {"logistic-regression", {"prior=horseshoe"}},
      {"poisson-regression", {"observations=2000"}},
      {"gaussian-mixture", {"components=4", "ordered=true"}},
      {"mixture", {"sd=0.001"}}};
  auto all = variants;
  for (const TargetDescription& description : describe_targets()) all.push_back({description.name, {}});
  for (const auto& [name, settings] : all) {
    const auto target = make_target(name, settings);
    if (!target->has_gradient()) continue;
    for (Index k = 0; k < 30; ++k) EXPECT_EQ(complaint(*target, draw(*target, k)), "") << name << ", draw " << k;
  }
}

TEST(GradientCheck, AcceptsStiffDensitiesWithRightGradients) {
  const std::vector<Given::Function> functions{[](In u, Out g) {  // a narrow normal on a large constant
                                                 if (!g.empty()) g[0] = -u[0] / 1e-10;
                                                 return 1e9 - 0.5 * u[0] * u[0] / 1e-10;
                                               },
                                               [](In u, Out g) {  // a wall at 0
                                                 if (!g.empty()) g[0] = 1 / u[0];
                                                 return u[0] > 0 ? std::log(u[0])
                                                                 : -std::numeric_limits<double>::infinity();
                                               },
                                               [](In u, Out g) {  // fast waves on a slope
                                                 if (!g.empty()) g[0] = 3 + 10 * std::cos(1e4 * u[0]);
                                                 return 3 * u[0] + 1e-3 * std::sin(1e4 * u[0]);
                                               },
                                               [](In u, Out g) {  // a kink
                                                 if (!g.empty()) g[0] = u[0] > 1e-6 ? -1 : 1;
                                                 return -std::abs(u[0] - 1e-6);
                                               },
                                               [](In u, Out g) {
                                                 if (!g.empty()) g[0] = -std::exp(30 * u[0]) * 30;
                                                 return -std::exp(30 * u[0]);
                                               }};
  for (std::size_t k = 0; k < functions.size(); ++k) {
    Given target({{"x", {}, {}}}, functions[k]);
    for (const double u : {2e-6, 1e-5, 3e-3, 0.7}) EXPECT_EQ(complaint(target, {u}), "") << k << " at " << u;
  }
}

TEST(GradientCheck, NamesTheParameterWhoseGradientIsWrong) {
  const std::vector<ParameterBlock> blocks{
      {"mu", {}, {}}, {"beta", {4}, {}}, {"load", {2, 3}, {}}, {"weights", {3}, Transform::simplex()}};
  const std::vector<std::string> names{"mu",
                                       "beta[1]",
                                       "beta[2]",
                                       "beta[3]",
                                       "beta[4]",
                                       "load[1,1]",
                                       "load[1,2]",
                                       "load[1,3]",
                                       "load[2,1]",
                                       "load[2,2]",
                                       "load[2,3]",
                                       "unconstrained entry 1 of weights",
                                       "unconstrained entry 2 of weights"};
  const auto right = [](In u, Out g) {
    double sum = 0;
    for (std::size_t i = 0; i < u.size(); ++i) {
      const double weight = 1 + static_cast<double>(i);
      sum -= weight * std::cosh(u[i] - 0.3);
      if (!g.empty()) g[i] = -weight * std::sinh(u[i] - 0.3);
    }
    return sum;
  };
  for (std::size_t wrong = 0; wrong < names.size(); ++wrong) {
    Given target(blocks, [&](In u, Out g) {
      const double value = right(u, g);
      if (!g.empty()) g[wrong] *= 1.001;
      return value;
    });
    const std::string text = complaint(target, std::vector<double>(names.size(), 1.0));
    EXPECT_NE(text.find("error: parameter " + names[wrong] + ": the derivative of the log likelihood is given as"),
              std::string::npos)
        << text;
  }
  Given sign({{"x", {2}, {}}}, [](In u, Out g) {
    if (!g.empty()) g[0] = u[0], g[1] = u[1];
    return 0.5 * (u[0] * u[0] - u[1] * u[1]);
  });
  EXPECT_EQ(
      complaint(sign, {0.5, 0.25}),
      "tempera: error: parameter x[2]: the derivative of the log likelihood is given as 0.25, but differences of its "
      "values say -0.25\nhint: correct the gradient, or choose an explorer that needs none, such as slice or rwm");
}

TEST(GradientCheck, FindsEverySpoiltEntryOfATarget) {
  for (const char* name : {"eight-schools", "logistic-regression", "phi4", "gaussian-mixture"}) {
    const auto target = make_target(name);
    const std::vector<double> u = draw(*target, 1);
    for (std::size_t i = 0; i < u.size(); ++i)
      for (const bool reference : {false, true}) {
        Spoilt shifted(target->clone(),
                       [=](In, Out r, Out l) { (reference ? r : l)[i] += 0.05 * (1 + std::abs(r[i] + l[i])); });
        EXPECT_NE(complaint(shifted, u), "") << name << " " << i;
        Spoilt lost(target->clone(), [=](In, Out r, Out) { r[i] = std::nan(""); });
        EXPECT_NE(complaint(lost, u).find("given as nan"), std::string::npos) << name << " " << i;
      }
  }
}

TEST(GradientCheck, FindsOneWrongEntryAmongManyCoordinates) {
  const auto right = [](In u, Out g) {
    double sum = 0;
    for (std::size_t i = 0; i < u.size(); ++i) {
      sum -= 0.5 * u[i] * u[i];
      if (!g.empty()) g[i] = -u[i];
    }
    return sum;
  };
  const std::vector<double> u(5000, 0.7);
  for (const std::size_t wrong : {0u, 1234u, 4999u}) {
    Given target({{"x", {5000}, {}}}, [=](In v, Out g) {
      const double value = right(v, g);
      if (!g.empty()) g[wrong] = -g[wrong];
      return value;
    });
    EXPECT_NE(complaint(target, u).find("parameter x[" + std::to_string(wrong + 1) + "]:"), std::string::npos)
        << complaint(target, u);
  }
  Given target({{"x", {5000}, {}}}, right);
  EXPECT_EQ(complaint(target, u), "");
}

}  // namespace
}  // namespace tempera
