#include "core/factorization/constraint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/base/error.hpp"
#include "core/base/random_stream.hpp"
#include "core/factorization/constraint_prox.hpp"
#include "core/linalg/prox.hpp"

namespace tempera {
namespace {

using testing::HasSubstr;

Constraint one(std::vector<std::string> texts) {
  return parse_constraints(texts, 1).front();
}

std::string refusal(std::vector<std::string> texts, int order = 3) {
  try {
    parse_constraints(texts, order);
  } catch (const Error& error) {
    EXPECT_EQ(error.category(), Category::usage);
    return error.message();
  }
  return "accepted";
}

TEST(ConstraintText, EveryNameRoundTrips) {
  for (const char* text : {"nonnegative", "l1:0.1", "ridge:2", "smooth:1e-05", "row-simplex", "column-simplex",
                           "orthogonal", "unimodal", "monotone", "box:-1,2.5", "norm"})
    EXPECT_EQ(to_text(parse_constraint(text).constraint), text);
  EXPECT_EQ(to_text(Constraint()), "unconstrained");
  EXPECT_EQ(to_text(one({"l1:0.5", "unimodal", "nonnegative", "norm"})), "nonnegative l1:0.5 unimodal norm");
}

TEST(ConstraintText, ModesAndCombinationsInAnyOrder) {
  const auto modes = parse_constraints(std::vector<std::string>{"nonnegative", "l1:0.1@0,2", "box:-1,1@1"}, 3);
  EXPECT_EQ(modes[0], (Constraint{.l1 = 0.1, .lower = 0}));
  EXPECT_EQ(modes[1], (Constraint{.lower = 0, .upper = 1}));
  EXPECT_EQ(modes[2], modes[0]);
  EXPECT_EQ(one({"box:-1,1", "nonnegative"}), modes[1]);
  EXPECT_EQ(one({"nonnegative", "nonnegative"}), Constraint::nonnegative);
}

TEST(ConstraintText, RefusalsSayWhy) {
  EXPECT_EQ(refusal({"unimodel"}),
            "tempera: error: --constraint: unknown constraint 'unimodel'\nhint: did you mean 'unimodal'?");
  EXPECT_THAT(refusal({"simplex"}), HasSubstr("row-simplex"));
  EXPECT_EQ(refusal({"l1:-0.1@1"}),
            "tempera: error: --constraint: the weight of a penalty is negative in 'l1:-0.1@1'\nhint: it is at least 0");
  EXPECT_EQ(refusal({"l1"}),
            "tempera: error: --constraint: 'l1' has 0 parameters and takes 1\nhint: write it like l1:0.1");
  EXPECT_THAT(refusal({"nonnegative:3"}), HasSubstr("'nonnegative:3' has 1 parameter and takes 0"));
  EXPECT_THAT(refusal({"box:1"}), HasSubstr("write it like box:0,1"));
  EXPECT_THAT(refusal({"box:1,0"}), HasSubstr("the box of 'box:1,0' is empty"));
  for (const char* text : {"l1:x", "l1:", "l1:nan", "l1:inf", "box:0,", "ridge:1e999"})
    EXPECT_THAT(refusal({text}), HasSubstr("is not a number in")) << text;
  EXPECT_THAT(refusal({"l1:1@a"}), HasSubstr("'a' is not a mode in 'l1:1@a'"));
  EXPECT_THAT(refusal({"l1:1@3"}), HasSubstr("mode 3 in 'l1:1@3' of a tensor of order 3"));
  EXPECT_THAT(refusal({"l1:1", "l1:2@1"}), HasSubstr("'l1:2@1' is the second l1 of mode 1"));
  EXPECT_THAT(refusal({"unimodal", "monotone@2"}),
              HasSubstr("'unimodal' and 'monotone@2' in mode 2 exclude each other"));
  EXPECT_THAT(refusal({"orthogonal", "nonnegative@0"}), HasSubstr("orthogonal goes with nothing else"));
  EXPECT_THAT(refusal({"orthogonal", "nonnegative@0"}), HasSubstr("only those that share no row are orthogonal"));
  EXPECT_THAT(refusal({"orthogonal", "ridge:1"}), HasSubstr("ridge is constant on columns of length 1"));
  EXPECT_THAT(refusal({"orthogonal", "smooth:1"}), HasSubstr("its closed form knows no other constraint"));
  EXPECT_THAT(refusal({"row-simplex", "box:-2,-1"}), HasSubstr("the box allows negative ones only"));
  EXPECT_THAT(refusal({"nonnegative", "box:-2,-1"}), HasSubstr("no entry is at least 0 and at most -1"));
  EXPECT_THAT(refusal({"l1:1", "column-simplex"}), HasSubstr("l1 is constant on a simplex"));
  EXPECT_THAT(refusal({"l1:1", "unimodal"}), HasSubstr("add nonnegative"));
  EXPECT_THAT(refusal({"smooth:1", "box:0,1"}), HasSubstr("no exact projection"));
  EXPECT_THAT(refusal({"norm", "box:0,1"}), HasSubstr("no exact projection"));
}

TEST(Constraint, SizesThatCannotHoldAreRefused) {
  EXPECT_THAT(contradiction(one({"orthogonal"}), 3, 4).value_or(""),
              HasSubstr("4 columns of length 3 cannot be orthogonal"));
  EXPECT_FALSE(contradiction(one({"orthogonal"}), 4, 4));
  EXPECT_THAT(contradiction(one({"row-simplex", "box:0,0.2"}), 9, 4).value_or(""), HasSubstr("cannot sum to 1"));
  EXPECT_FALSE(contradiction(one({"row-simplex", "box:0,0.25"}), 9, 4));
  EXPECT_THAT(contradiction(one({"column-simplex", "box:0.3,1"}), 5, 2).value_or(""), HasSubstr("cannot sum to 1"));
}

/// g(z) + ½ρ‖z − v‖² as prox_row and prox_column state it; penalties halved.
double value_of(const Constraint& c, const std::vector<double>& z, const std::vector<double>& v, double rho) {
  double value = 0.5 * c.smooth * roughness(z);
  for (std::size_t i = 0; i < z.size(); ++i)
    value += 0.5 * c.l1 * std::abs(z[i]) + 0.5 * rho * (z[i] - v[i]) * (z[i] - v[i]);
  return value;
}

// No allowed point nearby or far away is better; for convex sets near ones suffice.
TEST(ConstraintProx, NoAllowedPointIsBetterForEveryCombination) {
  const std::vector<std::vector<std::string>> combinations{{"nonnegative"},
                                                           {"l1:0.7"},
                                                           {"nonnegative", "l1:0.7"},
                                                           {"box:-0.3,0.4"},
                                                           {"box:-0.3,0.4", "l1:0.7"},
                                                           {"row-simplex"},
                                                           {"row-simplex", "box:0.1,0.5"},
                                                           {"column-simplex"},
                                                           {"column-simplex", "box:-1,0.3"},
                                                           {"smooth:0.5"},
                                                           {"smooth:0.5", "nonnegative"},
                                                           {"smooth:0.5", "nonnegative", "l1:0.7"},
                                                           {"monotone"},
                                                           {"monotone", "nonnegative"},
                                                           {"monotone", "nonnegative", "l1:0.7"},
                                                           {"monotone", "box:-0.2,0.3"},
                                                           {"unimodal"},
                                                           {"unimodal", "nonnegative"},
                                                           {"unimodal", "nonnegative", "l1:0.7"},
                                                           {"unimodal", "box:-0.2,0.3"},
                                                           {"norm"},
                                                           {"norm", "nonnegative"},
                                                           {"norm", "l1:0.7"},
                                                           {"norm", "nonnegative", "l1:0.7"},
                                                           {"norm", "unimodal"},
                                                           {"norm", "unimodal", "nonnegative", "l1:0.7"},
                                                           {"norm", "monotone"}};
  for (const auto& texts : combinations) {
    const Constraint constraint = one(texts);
    const auto prox = [&](const Constraint& c, std::vector<double>& x, double rho) {
      if (constraint.couples_rows() && !(c == Constraint()) && c.couples_rows())
        prox_column(c, x, rho);
      else
        prox_row(c, x, rho);
    };
    RandomStream stream(12, "constraint-prox", {});
    for (int trial = 0; trial < 20; ++trial) {
      const double rho = 0.5 + stream.uniform();
      std::vector<double> v(8), z;
      for (double& value : v) value = stream.normal();
      z = v;
      prox(constraint, z, rho);
      std::vector<double> again = z;
      prox(constraint.without_penalties(), again, rho);
      for (std::size_t i = 0; i < z.size(); ++i) EXPECT_NEAR(again[i], z[i], 1e-13) << to_text(constraint);
      const double least = value_of(constraint, z, v, rho);
      for (int other = 0; other < 400; ++other) {
        std::vector<double> point = other % 2 ? z : v;
        const double size = std::pow(10.0, -5 * stream.uniform());
        for (double& value : point) value += size * stream.normal();
        prox(constraint.without_penalties(), point, rho);
        EXPECT_GE(value_of(constraint, point, v, rho), least - 1e-12) << to_text(constraint) << " trial " << trial;
      }
    }
  }
}

}  // namespace
}  // namespace tempera
