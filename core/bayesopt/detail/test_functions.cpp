#include "core/bayesopt/detail/test_functions.hpp"

#include <array>
#include <cmath>
#include <cstddef>
#include <numbers>

namespace tempera::detail {

namespace {

constexpr double kPi = std::numbers::pi;

double square(double x) {
  return x * x;
}

template <std::size_t Dim>
using Rows = std::array<std::array<double, Dim>, 4>;

/// −Σ_i α_i exp(−Σ_j A_ij (x_j − P_ij)²), P in ten-thousandths.
template <std::size_t Dim>
double hartmann(Coordinates x, const Rows<Dim>& a, const Rows<Dim>& p) {
  constexpr std::array<double, 4> kWeights = {1.0, 1.2, 3.0, 3.2};
  double sum = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    double exponent = 0;
    for (std::size_t j = 0; j < Dim; ++j) exponent += a[i][j] * square(x[j] - p[i][j] / 10000);
    sum += kWeights[i] * std::exp(-exponent);
  }
  return -sum;
}

}  // namespace

double branin(Coordinates x) {
  constexpr double kB = 5.1 / (4 * kPi * kPi);
  constexpr double kC = 5 / kPi;
  constexpr double kT = 1 / (8 * kPi);
  return square(x[1] - kB * x[0] * x[0] + kC * x[0] - 6) + 10 * (1 - kT) * std::cos(x[0]) + 10;
}

double hartmann3(Coordinates x) {
  constexpr Rows<3> kA = {{{3, 10, 30}, {0.1, 10, 35}, {3, 10, 30}, {0.1, 10, 35}}};
  constexpr Rows<3> kP = {{{3689, 1170, 2673}, {4699, 4387, 7470}, {1091, 8732, 5547}, {381, 5743, 8828}}};
  return hartmann(x, kA, kP);
}

double hartmann6(Coordinates x) {
  constexpr Rows<6> kA = {
      {{10, 3, 17, 3.5, 1.7, 8}, {0.05, 10, 17, 0.1, 8, 14}, {3, 3.5, 1.7, 10, 17, 8}, {17, 8, 0.05, 10, 0.1, 14}}};
  constexpr Rows<6> kP = {{{1312, 1696, 5569, 124, 8283, 5886},
                           {2329, 4135, 8307, 3736, 1004, 9991},
                           {2348, 1451, 3522, 2883, 3047, 6650},
                           {4047, 8828, 8732, 5743, 1091, 381}}};
  return hartmann(x, kA, kP);
}

double six_hump_camel(Coordinates x) {
  const double a = x[0] * x[0];
  const double b = x[1] * x[1];
  return (4 - 2.1 * a + a * a / 3) * a + x[0] * x[1] + (4 * b - 4) * b;
}

double goldstein_price(Coordinates x) {
  const double u = x[0];
  const double v = x[1];
  const double first = 1 + square(u + v + 1) * (19 - 14 * u + 3 * u * u - 14 * v + 6 * u * v + 3 * v * v);
  const double second = 30 + square(2 * u - 3 * v) * (18 - 32 * u + 12 * u * u + 48 * v - 36 * u * v + 27 * v * v);
  return first * second;
}

double ackley(Coordinates x) {
  double squares = 0;
  double cosines = 0;
  for (const double value : x) {
    squares += value * value;
    cosines += std::cos(2 * kPi * value);
  }
  const auto count = static_cast<double>(x.size());
  return 20 * -std::expm1(-0.2 * std::sqrt(squares / count)) + std::numbers::e - std::exp(cosines / count);
}

double levy(Coordinates x) {
  const auto w = [&](std::size_t i) { return 1 + (x[i] - 1) / 4; };
  double sum = square(std::sin(kPi * w(0)));
  for (std::size_t i = 0; i + 1 < x.size(); ++i) sum += square(w(i) - 1) * (1 + 10 * square(std::sin(kPi * w(i) + 1)));
  const double last = w(x.size() - 1);
  return sum + square(last - 1) * (1 + square(std::sin(2 * kPi * last)));
}

double rosenbrock(Coordinates x) {
  double sum = 0;
  for (std::size_t i = 0; i + 1 < x.size(); ++i) sum += 100 * square(x[i + 1] - x[i] * x[i]) + square(x[i] - 1);
  return sum;
}

double styblinski_tang(Coordinates x) {
  double sum = 0;
  for (const double value : x) sum += square(square(value)) - 16 * square(value) + 5 * value;
  return sum / 2;
}

double rastrigin(Coordinates x) {
  double sum = 0;
  for (const double value : x) sum += value * value + 10 * (1 - std::cos(2 * kPi * value));
  return sum;
}

double sphere(Coordinates x) {
  double sum = 0;
  for (const double value : x) sum += value * value;
  return sum;
}

}  // namespace tempera::detail
