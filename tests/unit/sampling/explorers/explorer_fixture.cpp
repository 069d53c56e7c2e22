#include "tests/unit/sampling/explorers/explorer_fixture.hpp"

#include <Eigen/Dense>
#include <boost/math/special_functions/beta.hpp>
#include <boost/math/special_functions/gamma.hpp>

namespace tempera::test {

namespace {

Margin coordinate(std::size_t i, double scale = 1) {
  return {"coordinate " + std::to_string(i), [i, scale](In u) { return u[i] / scale; }, normal_cdf};
}

}  // namespace

ExactCase correlated_normal(double beta) {
  constexpr int kDimension = 3;
  constexpr double kWide = 3;
  Eigen::Matrix3d factor;  // of the likelihood's precision
  factor << 1, 0, 0, 4, 2, 0, -1, 0.5, 0.3;
  const Eigen::Matrix3d precision = factor * factor.transpose();
  const auto reference = [](In u, Out gradient) {
    double sum = 0;
    for (std::size_t i = 0; i < u.size(); ++i) {
      sum -= 0.5 * u[i] * u[i] / (kWide * kWide);
      if (!gradient.empty()) gradient[i] = -u[i] / (kWide * kWide);
    }
    return sum;
  };
  const auto likelihood = [precision](In u, Out gradient) {
    const Eigen::Map<const Eigen::Vector3d> x(u.data());
    const Eigen::Vector3d slope = -precision * x;
    for (std::size_t i = 0; i < gradient.size(); ++i) gradient[i] = slope[static_cast<Eigen::Index>(i)];
    return 0.5 * x.dot(slope);
  };
  const Eigen::Matrix3d whole = Eigen::Matrix3d::Identity() / (kWide * kWide) + beta * precision;
  const Eigen::Matrix3d root = whole.inverse().llt().matrixL();
  const Eigen::Matrix3d whitening = root.inverse();
  ExactCase exact{
      "correlated normal", std::make_shared<FunctionTarget>(kDimension, reference, likelihood), beta, {}, {}};
  exact.draw = [root](RandomStream& stream, Out u) {
    Eigen::Vector3d z;
    for (double& entry : z) entry = stream.normal();
    Eigen::Map<Eigen::Vector3d>(u.data()) = root * z;
  };
  const auto white = [whitening](In u) -> Eigen::Vector3d {
    return whitening * Eigen::Map<const Eigen::Vector3d>(u.data());
  };
  for (Eigen::Index i = 0; i < kDimension; ++i)
    exact.margins.push_back({"whitened " + std::to_string(i), [white, i](In u) { return white(u)[i]; }, normal_cdf});
  exact.margins.push_back({"sum", [white](In u) { return white(u).sum() / std::sqrt(3.0); }, normal_cdf});
  exact.margins.push_back({"radius", [white](In u) { return white(u).squaredNorm(); },
                           [](double r) { return boost::math::gamma_p(1.5, 0.5 * r); }});
  return exact;
}

ExactCase log_gammas(double beta) {
  const double shapes[] = {0.7, 3};  // at this beta
  // a u − e^u, of which −e^u + (a − 1) u is the likelihood at β = 1.
  const auto likelihood = [=](In u, Out gradient) {
    double sum = 0;
    for (std::size_t i = 0; i < 2; ++i) {
      sum += ((shapes[i] - 1) * u[i] - std::exp(u[i])) / beta;
      if (!gradient.empty()) gradient[i] = (shapes[i] - 1 - std::exp(u[i])) / beta;
    }
    return sum;
  };
  const auto reference = [](In u, Out gradient) {
    for (double& entry : gradient) entry = 1;
    return u[0] + u[1];
  };
  ExactCase exact{"log gammas", std::make_shared<FunctionTarget>(2, reference, likelihood), beta, {}, {}};
  exact.draw = [=](RandomStream& stream, Out u) {
    for (std::size_t i = 0; i < 2; ++i) u[i] = stream.log_gamma_draw(shapes[i]);
  };
  for (const std::size_t i : {0u, 1u})
    exact.margins.push_back({"gamma " + std::to_string(i), [i](In u) { return std::exp(u[i]); },
                             [=](double g) { return boost::math::gamma_p(shapes[i], g); }});
  exact.margins.push_back({"share", [](In u) { return 1 / (1 + std::exp(u[1] - u[0])); },
                           [=](double p) { return boost::math::ibeta(shapes[0], shapes[1], p); }});
  return exact;
}

ExactCase bounded(double beta) {
  const auto reference = [](In u, Out gradient) {
    for (double& entry : gradient) entry = 0;
    return u[0] > 0 && u[1] > 0 && u[1] < 1 ? 0 : kNone;
  };
  const auto likelihood = [beta](In u, Out gradient) {
    if (!gradient.empty()) {
      gradient[0] = -1 / beta;
      gradient[1] = 0;
    }
    return u[0] > 0 ? -u[0] / beta : kNone;
  };
  ExactCase exact{"bounded", std::make_shared<FunctionTarget>(2, reference, likelihood), beta, {}, {}};
  exact.draw = [](RandomStream& stream, Out u) {
    u[0] = stream.exponential();
    u[1] = stream.uniform_open();
  };
  exact.margins = {{"exponential", [](In u) { return u[0]; }, [](double x) { return -std::expm1(-x); }},
                   {"uniform", [](In u) { return u[1]; }, [](double x) { return x; }}};
  return exact;
}

namespace {

/// A standard normal above −0.5.
ExactCase half_normal(const char* name, Density density) {
  constexpr double kEdge = -0.5;
  ExactCase exact{name, std::make_shared<FunctionTarget>(1, std::move(density)), 1, {}, {}};
  exact.draw = [](RandomStream& stream, Out u) {
    do u[0] = stream.normal();
    while (u[0] <= kEdge);
  };
  const double below = normal_cdf(kEdge);
  exact.margins = {
      {"value", [](In u) { return u[0]; }, [=](double x) { return (normal_cdf(x) - below) / (1 - below); }}};
  return exact;
}

}  // namespace

ExactCase broken_density() {
  return half_normal("NaN density", [](In u, Out gradient) {
    if (!gradient.empty()) gradient[0] = -u[0];
    return u[0] > -0.5 ? -0.5 * u[0] * u[0] : std::nan("");
  });
}

ExactCase broken_gradient() {
  return half_normal("NaN gradient", [](In u, Out gradient) {
    if (!gradient.empty()) gradient[0] = u[0] > -0.5 ? -u[0] : std::nan("");
    return -0.5 * u[0] * u[0];
  });
}

ExactCase small_funnel() {
  const auto density = [](In u, Out gradient) {
    const double square = u[1] * u[1] * std::exp(-2 * u[0]);
    if (!gradient.empty()) {
      gradient[0] = -u[0] - 1 + square;
      gradient[1] = -u[1] * std::exp(-2 * u[0]);
    }
    return -0.5 * (u[0] * u[0] + square) - u[0];
  };
  ExactCase exact{"funnel", std::make_shared<FunctionTarget>(2, density), 1, {}, {}};
  exact.draw = [](RandomStream& stream, Out u) {
    u[0] = stream.normal();
    u[1] = std::exp(u[0]) * stream.normal();
  };
  const auto inner = [](In u) { return u[1] * std::exp(-u[0]); };
  exact.margins = {coordinate(0),
                   {"inner", inner, normal_cdf},
                   {"radius", [inner](In u) { return u[0] * u[0] + inner(u) * inner(u); },
                    [](double r) { return -std::expm1(-0.5 * r); }}};
  return exact;
}

ExactCase two_modes() {
  const auto density = [](In u, Out gradient) {
    const double a = u[0] + 4, b = (u[0] - 3) / 0.2;
    const double first = 0.3 * std::exp(-0.5 * a * a), second = 0.7 / 0.2 * std::exp(-0.5 * b * b);
    if (!gradient.empty()) gradient[0] = -(a * first + b / 0.2 * second) / (first + second);
    return std::log(first + second);
  };
  ExactCase exact{"two modes", std::make_shared<FunctionTarget>(1, density), 1, {}, {}};
  exact.draw = [](RandomStream& stream, Out u) {
    u[0] = stream.uniform() < 0.3 ? -4 + stream.normal() : 3 + 0.2 * stream.normal();
  };
  exact.margins = {{"value", [](In u) { return u[0]; },
                    [](double x) { return 0.3 * normal_cdf(x + 4) + 0.7 * normal_cdf((x - 3) / 0.2); }}};
  return exact;
}

ChainTuning tuning_for(const ExactCase& exact, double factor, bool dense, std::vector<double> step_sizes) {
  constexpr Index kSample = 1000;
  const auto n = exact.target->dimension();
  Eigen::MatrixXd draws(n, kSample);
  for (Index k = 0; k < kSample; ++k) {
    RandomStream stream(7, "explorer-test-tuning", {k});
    exact.draw(stream, Out(draws.data() + k * n, static_cast<std::size_t>(n)));
  }
  const Eigen::VectorXd mean = draws.rowwise().mean();
  draws.colwise() -= mean;
  const Eigen::MatrixXd covariance = draws * draws.transpose() / static_cast<double>(kSample) * (factor * factor);
  ChainTuning tuning{{mean.begin(), mean.end()}, {}, {}, std::move(step_sizes)};
  for (Index i = 0; i < n; ++i) tuning.scales.push_back(std::sqrt(covariance(i, i)));
  if (!dense) return tuning;
  const Eigen::MatrixXd root = covariance.llt().matrixL();
  for (Index i = 0; i < n; ++i)
    for (Index j = 0; j < n; ++j) tuning.covariance_factor.push_back(root(i, j));
  return tuning;
}

void expect_invariance(Explorer& explorer, const ExactCase& exact, const ChainTuning& tuning, const std::string& what,
                       int steps, int draws) {
  const std::string name = what + ", " + exact.name;
  std::vector<std::vector<double>> values(exact.margins.size());
  PathDensity density(*exact.target, exact.beta);
  for (int k = 0; k < draws; ++k) {
    RandomStream stream(5, "explorer-test", {k});
    SamplePoint point{std::vector<double>(static_cast<std::size_t>(exact.target->dimension())), {}};
    exact.draw(stream, point.u);
    density.at(point.u, point.density);
    for (int step = 0; step < steps; ++step) {
      const StepRecord record = explorer.step(density, tuning, point, stream);
      ASSERT_TRUE(record.acceptance >= 0 && record.acceptance <= 1 + 1e-12) << name << ": " << record.acceptance;
    }
    const LogDensity there = exact.target->evaluate(point.u);
    ASSERT_EQ(there.reference, point.density.reference) << name << ", draw " << k;
    ASSERT_EQ(there.likelihood, point.density.likelihood) << name << ", draw " << k;
    for (std::size_t m = 0; m < values.size(); ++m) values[m].push_back(exact.margins[m].value(point.u));
  }
  for (std::size_t m = 0; m < values.size(); ++m)
    EXPECT_GT(kolmogorov_smirnov_p_value(values[m], exact.margins[m].cdf), 1e-8)
        << name << ", " << exact.margins[m].name;
}

}  // namespace tempera::test
