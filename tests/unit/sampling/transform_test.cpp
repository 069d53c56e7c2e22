#include "core/sampling/transform.hpp"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>
#include <numbers>

#include "core/base/error.hpp"
#include "tests/unit/sampling/differences.hpp"

namespace tempera {
namespace {

using test::Vector;
using Kind = Transform::Kind;

struct Case {
  Transform transform;
  Index size;  // constrained
};

std::vector<Case> cases() {
  return {{Transform::identity(), 3},
          {Transform::lower(0), 3},
          {Transform::lower(-1.5), 2},
          {Transform::upper(4), 3},
          {Transform::interval(0, 1), 3},
          {Transform::interval(-2, 5), 4},
          {Transform::ordered(), 1},
          {Transform::ordered(), 4},
          {Transform::positive_ordered(), 1},
          {Transform::positive_ordered(), 4},
          {Transform::simplex(), 1},
          {Transform::simplex(), 2},
          {Transform::simplex(), 5},
          {Transform::unit_vector(), 1},
          {Transform::unit_vector(), 4},
          {Transform::cholesky_correlation(), 1},
          {Transform::cholesky_correlation(), 4},
          {Transform::cholesky_correlation(), 25},
          {Transform::sum_to_zero(), 1},
          {Transform::sum_to_zero(), 2},
          {Transform::sum_to_zero(), 6}};
}

std::string name(const Case& c) {
  return c.transform.text() + " of " + std::to_string(c.size);
}

std::size_t size_of_u(const Case& c) {
  return static_cast<std::size_t>(c.transform.unconstrained_size(c.size));
}

Vector constrained(const Case& c, const Vector& u) {
  Vector theta(static_cast<std::size_t>(c.size));
  c.transform.constrain(u, theta);
  return theta;
}

double log_jacobian(const Case& c, const Vector& u) {
  Vector theta(static_cast<std::size_t>(c.size));
  return c.transform.constrain(u, theta);
}

/// Positions in θ of the coordinates that the measure of the transform is written in.
std::vector<std::size_t> coordinates(const Case& c) {
  std::vector<std::size_t> kept;
  const auto size = static_cast<std::size_t>(c.size);
  if (c.transform.kind() == Kind::cholesky_correlation) {
    const auto side = static_cast<std::size_t>(std::lround(std::sqrt(static_cast<double>(size))));
    for (std::size_t i = 0; i < side; ++i)
      for (std::size_t j = 0; j < i; ++j) kept.push_back(i * side + j);
    return kept;
  }
  for (std::size_t i = 0; i + (c.transform.kind() == Kind::simplex) < size; ++i) kept.push_back(i);
  return kept;
}

TEST(Transform, HasTheSizesOfItsTable) {
  EXPECT_EQ(Transform::lower(0).unconstrained_size(7), 7);
  EXPECT_EQ(Transform::ordered().unconstrained_size(7), 7);
  EXPECT_EQ(Transform::simplex().unconstrained_size(7), 6);
  EXPECT_EQ(Transform::unit_vector().unconstrained_size(7), 7);
  EXPECT_EQ(Transform::cholesky_correlation().unconstrained_size(25), 10);
  EXPECT_EQ(Transform::sum_to_zero().unconstrained_size(7), 6);
}

/// How far θ is from the equation that its support obeys; infinite if it breaks an inequality.
double violation(const Transform& transform, const Vector& theta) {
  double sum = 0, squares = 0;
  bool rising = true;
  for (std::size_t i = 0; i < theta.size(); ++i) {
    if (!(theta[i] > transform.lower_bound() && theta[i] < transform.upper_bound())) return INFINITY;
    rising = rising && (i == 0 || theta[i] > theta[i - 1]);
    sum += theta[i];
    squares += theta[i] * theta[i];
  }
  switch (transform.kind()) {
    case Kind::simplex: return std::abs(sum - 1);
    case Kind::sum_to_zero: return std::abs(sum);
    case Kind::unit_vector: return std::abs(squares - 1);
    case Kind::cholesky_correlation:  // as many rows of length one
      return std::abs(squares - std::sqrt(static_cast<double>(theta.size())));
    case Kind::ordered: return rising ? 0 : INFINITY;
    case Kind::positive_ordered: return rising && theta[0] > 0 ? 0 : INFINITY;
    default: return 0;
  }
}

TEST(Transform, KeepsTheSupport) {
  for (const Case& c : cases())
    for (std::uint64_t seed = 0; seed < 20; ++seed)
      EXPECT_LT(violation(c.transform, constrained(c, test::random_vector(size_of_u(c), seed, 2))), 1e-14)
          << name(c) << " seed " << seed;
}

TEST(Transform, OfZeroIsTheMiddle) {
  EXPECT_EQ(constrained({Transform::interval(-2, 5), 1}, {0}), Vector{1.5});
  EXPECT_EQ(constrained({Transform::lower(3), 1}, {0}), Vector{4});
  for (const double share : constrained({Transform::simplex(), 5}, Vector(4, 0.0))) EXPECT_NEAR(share, 0.2, 1e-15);
  EXPECT_EQ(constrained({Transform::cholesky_correlation(), 4}, {0}), (Vector{1, 0, 0, 1}));
}

TEST(Transform, GoesThereAndBack) {
  for (const Case& c : cases())
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      const Vector u = test::random_vector(size_of_u(c), seed);
      const Vector theta = constrained(c, u);
      Vector back(u.size());
      c.transform.unconstrain(theta, back);
      const Vector again = constrained(c, back);
      for (std::size_t i = 0; i < theta.size(); ++i) EXPECT_NEAR(again[i], theta[i], 1e-12) << name(c);
      if (c.transform.kind() == Kind::unit_vector) continue;  // the length is lost
      for (std::size_t i = 0; i < u.size(); ++i) EXPECT_NEAR(back[i], u[i], 1e-12) << name(c) << " seed " << seed;
    }
}

TEST(Transform, LogJacobianIsThatOfANumericalDeterminant) {
  for (const Case& c : cases()) {
    if (c.transform.kind() == Kind::unit_vector) continue;  // not square; see below
    const auto kept = coordinates(c);
    const auto columns = static_cast<Eigen::Index>(size_of_u(c));
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
      const Vector u = test::random_vector(size_of_u(c), seed);
      Eigen::MatrixXd jacobian(static_cast<Eigen::Index>(kept.size()), columns);
      for (Eigen::Index i = 0; i < jacobian.rows(); ++i)
        for (Eigen::Index j = 0; j < columns; ++j)
          jacobian(i, j) =
              test::derivative([&](const Vector& at) { return constrained(c, at)[kept[static_cast<std::size_t>(i)]]; },
                               u, static_cast<std::size_t>(j));
      const double expected = c.transform.kind() == Kind::sum_to_zero
                                  ? 0.5 * std::log((jacobian.transpose() * jacobian).determinant())
                                  : std::log(std::abs(jacobian.determinant()));
      EXPECT_NEAR(log_jacobian(c, u), columns == 0 ? 0 : expected, 1e-9) << name(c) << " seed " << seed;
    }
  }
}

TEST(Transform, LengthOfAUnitVectorIntegratesToOne) {
  for (const Index size : {1, 2, 3, 5, 8}) {
    const Case c{Transform::unit_vector(), size};
    const Vector direction = constrained(c, test::random_vector(size_of_u(c), 1));
    const double total = test::integral(
        [&](double length) {
          if (length == 0) return size == 1 ? std::sqrt(2 / std::numbers::pi) : 0.0;
          Vector u = direction;
          for (double& value : u) value *= length;
          return std::pow(length, static_cast<double>(size - 1)) * std::exp(log_jacobian(c, u));
        },
        0, 20, 20000);
    EXPECT_NEAR(total, 1, 1e-6) << size;  // odd powers: the trapezoidal rule is of second order at 0
  }
}

TEST(Transform, PullsGradientsBack) {
  for (const Case& c : cases()) {
    const Vector slope = test::random_vector(static_cast<std::size_t>(c.size), 11);
    const auto density = [&](const Vector& u) {
      Vector theta(static_cast<std::size_t>(c.size));
      double sum = c.transform.constrain(u, theta);
      for (std::size_t i = 0; i < theta.size(); ++i) sum += slope[i] * theta[i] - 0.1 * theta[i] * theta[i];
      return sum;
    };
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
      const Vector u = test::random_vector(size_of_u(c), seed, 0.8);
      if (c.transform.kind() == Kind::unit_vector && u.size() == 1) continue;  // jumps at 0
      const Vector theta = constrained(c, u);
      Vector theta_gradient(theta.size()), gradient(u.size());
      for (std::size_t i = 0; i < theta.size(); ++i) theta_gradient[i] = slope[i] - 0.2 * theta[i];
      c.transform.pull_back(u, theta, theta_gradient, gradient);
      c.transform.add_jacobian_gradient(u, theta, gradient);
      for (std::size_t i = 0; i < u.size(); ++i)
        EXPECT_NEAR(gradient[i], test::derivative(density, u, i), 1e-8 * (1 + std::abs(gradient[i])))
            << name(c) << " entry " << i << " seed " << seed;
    }
  }
}

TEST(Transform, IsFiniteFarOut) {
  for (const Case& c : cases())
    for (const double size : {-700.0, 700.0, 40.0, -40.0})
      for (const bool alternate : {false, true}) {
        Vector u(size_of_u(c), size);
        for (std::size_t i = 1; alternate && i < u.size(); i += 2) u[i] = -size;
        const Vector theta = constrained(c, u);
        const std::string what = name(c) + " at " + std::to_string(size);
        for (const double value : theta) EXPECT_TRUE(std::isfinite(value)) << what;
        EXPECT_TRUE(std::isfinite(log_jacobian(c, u))) << what;
        Vector gradient(u.size());
        c.transform.pull_back(u, theta, Vector(theta.size(), 1.0), gradient);
        c.transform.add_jacobian_gradient(u, theta, gradient);
        for (const double value : gradient) EXPECT_TRUE(std::isfinite(value)) << what;
      }
}

TEST(Transform, LogJacobianFollowsItsAsymptotesFarOut) {
  for (const double u : {-700.0, -100.0, 100.0, 700.0}) {
    EXPECT_DOUBLE_EQ(log_jacobian({Transform::interval(0, 1), 1}, {u}), -std::abs(u));
    EXPECT_DOUBLE_EQ(log_jacobian({Transform::simplex(), 2}, {u}), -std::abs(u));
    EXPECT_DOUBLE_EQ(log_jacobian({Transform::cholesky_correlation(), 4}, {u}),
                     -2 * std::abs(u) + 2 * std::numbers::ln2);
    EXPECT_DOUBLE_EQ(log_jacobian({Transform::lower(0), 1}, {u}), u);
  }
}

TEST(Transform, KeepsSmallDistancesFromZero) {
  EXPECT_DOUBLE_EQ(constrained({Transform::interval(0, 1), 1}, {-500})[0], std::exp(-500));
  EXPECT_DOUBLE_EQ(constrained({Transform::simplex(), 2}, {500})[1], std::exp(-500));
}

TEST(Transform, RefusesBoundsThatLeaveNoRoom) {
  const auto message = [](auto make) {
    try {
      make();
    } catch (const Error& error) {
      EXPECT_EQ(error.category(), Category::input);
      return error.what_is_wrong();
    }
    return std::string("accepted");
  };
  EXPECT_EQ(message([] { Transform::interval(1, 1); }), "no number lies above 1 and below 1");
  EXPECT_EQ(message([] { Transform::interval(0, INFINITY); }), "the upper bound of a parameter is inf");
  EXPECT_EQ(message([] { Transform::lower(NAN); }), "the lower bound of a parameter is nan");
  EXPECT_EQ(message([] { Transform::upper(-INFINITY); }), "the upper bound of a parameter is -inf");
}

}  // namespace
}  // namespace tempera
