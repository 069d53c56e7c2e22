#include "core/minimization/cma_es.hpp"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>

#include "core/base/contract.hpp"

namespace tempera {

namespace {

constexpr double kWorstCondition = 1e14;  // of C
constexpr double kMostGrowth = 1e4;       // of the longest axis
constexpr double kMostLogStep = 1;        // of σ in a generation: what keeps foreign points from blowing it up

double sum_of_squares_to_mass(const Eigen::Ref<const Eigen::VectorXd>& weights) {
  const double squares = weights.squaredNorm();
  return squares > 0 ? std::pow(weights.sum(), 2) / squares : 0;
}

}  // namespace

Index CmaConstants::default_population(Index dimensions) {
  return 4 + static_cast<Index>(3 * std::log(static_cast<double>(dimensions)));
}

CmaConstants::CmaConstants(Index dimensions_, Index population_)
    : dimensions(dimensions_), population(population_), weights(population_) {
  TEMPERA_EXPECTS(dimensions >= 1 && population >= 2);
  const auto n = static_cast<double>(dimensions);
  const Index parents = population / 2;
  for (Index i = 0; i < population; ++i)
    weights(i) = std::log((static_cast<double>(population) + 1) / 2) - std::log(static_cast<double>(i + 1));
  effective_parents = sum_of_squares_to_mass(weights.head(parents));
  const double negative_mass = sum_of_squares_to_mass(weights.tail(population - parents));
  c_sigma = (effective_parents + 2) / (n + effective_parents + 5);
  d_sigma = 1 + 2 * std::max(0.0, std::sqrt((effective_parents - 1) / (n + 1)) - 1) + c_sigma;
  c_c = (4 + effective_parents / n) / (n + 4 + 2 * effective_parents / n);
  constexpr double kAlpha = 2;
  c_1 = kAlpha / (std::pow(n + 1.3, 2) + effective_parents);
  c_mu = std::min(1 - c_1, kAlpha * (0.25 + effective_parents + 1 / effective_parents - 2) /
                               (std::pow(n + 2, 2) + kAlpha * effective_parents / 2));
  const double alpha_mu = 1 + c_1 / c_mu;
  const double alpha_mass = 1 + 2 * negative_mass / (effective_parents + 2);
  const double alpha_definite = (1 - c_1 - c_mu) / (n * c_mu);
  const double positive = weights.cwiseMax(0).sum(), negative = -weights.cwiseMin(0).sum();
  for (double& weight : weights)
    weight *= weight >= 0 ? 1 / positive : std::min({alpha_mu, alpha_mass, alpha_definite}) / negative;
  expected_norm = std::sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n * n));
}

Eigen::VectorXd CmaDistribution::point(const Eigen::VectorXd& normals) const {
  return mean + sigma * stretch.cwiseProduct(*transform * normals);
}

CmaEs::CmaEs(const Eigen::VectorXd& mean, double sigma, Index population)
    : constants_(mean.size(), population),
      now_{mean, sigma, Eigen::VectorXd::Ones(mean.size()), nullptr},
      first_sigma_(sigma),
      covariance_(Eigen::MatrixXd::Identity(mean.size(), mean.size())),
      sigma_path_(Eigen::VectorXd::Zero(mean.size())),
      covariance_path_(Eigen::VectorXd::Zero(mean.size())) {
  TEMPERA_EXPECTS(sigma > 0);
  decompose();
}

void CmaEs::decompose() {
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(covariance_);
  axes_ = solver.eigenvectors();
  lengths_ = solver.eigenvalues().cwiseMax(std::numeric_limits<double>::min()).cwiseSqrt();
  now_.transform = std::make_shared<const Eigen::MatrixXd>(axes_ * lengths_.asDiagonal());
  decomposed_at_ = generation_;
}

void CmaEs::update(const Eigen::MatrixXd& points, const std::vector<bool>& foreign) {
  const CmaConstants& c = constants_;
  TEMPERA_EXPECTS(points.rows() == c.dimensions && points.cols() == c.population &&
                  std::ssize(foreign) == c.population);
  const auto n = static_cast<double>(c.dimensions);
  Eigen::MatrixXd steps = (points.colwise() - now_.mean) / now_.sigma;
  steps.array().colwise() /= now_.stretch.array();
  const auto whitened = [&](const Eigen::VectorXd& step) -> Eigen::VectorXd {
    return (axes_.transpose() * step).cwiseQuotient(lengths_);
  };
  Eigen::VectorXd norms(c.population);
  const double longest = std::sqrt(n) + 2 * n / (n + 2);
  for (Index k = 0; k < c.population; ++k) {
    norms(k) = whitened(steps.col(k)).norm();
    if (!foreign[static_cast<std::size_t>(k)] || norms(k) <= longest) continue;
    steps.col(k) *= longest / norms(k);
    norms(k) = longest;
  }
  const Eigen::VectorXd step = steps * c.weights.cwiseMax(0);
  now_.mean += now_.sigma * now_.stretch.cwiseProduct(step);
  ++generation_;

  sigma_path_ = (1 - c.c_sigma) * sigma_path_ +
                std::sqrt(c.c_sigma * (2 - c.c_sigma) * c.effective_parents) * (axes_ * whitened(step));
  const double length = sigma_path_.norm();
  const double warm = std::sqrt(1 - std::pow(1 - c.c_sigma, 2 * static_cast<double>(generation_)));
  const bool stalls = length / warm >= (1.4 + 2 / (n + 1)) * c.expected_norm;  // h_σ = 0
  now_.sigma *= std::exp(std::min(kMostLogStep, c.c_sigma / c.d_sigma * (length / c.expected_norm - 1)));

  covariance_path_ *= 1 - c.c_c;
  if (!stalls) covariance_path_ += std::sqrt(c.c_c * (2 - c.c_c) * c.effective_parents) * step;
  Eigen::VectorXd weights = c.weights;
  for (Index k = 0; k < c.population; ++k)
    if (weights(k) < 0) weights(k) *= n / std::max(std::pow(norms(k), 2), 1e-300);
  const double kept = 1 + (stalls ? c.c_1 * c.c_c * (2 - c.c_c) : 0) - c.c_1 - c.c_mu * c.weights.sum();
  covariance_ = (kept * covariance_ + c.c_1 * covariance_path_ * covariance_path_.transpose() +
                 c.c_mu * steps * weights.asDiagonal() * steps.transpose())
                    .eval();
  covariance_ = (0.5 * (covariance_ + covariance_.transpose())).eval();
  if (static_cast<double>(generation_ - decomposed_at_) > 1 / ((c.c_1 + c.c_mu) * n * 10)) decompose();
}

void CmaEs::set_marginal(Index coordinate, double mean, double stretch) {
  now_.mean(coordinate) = mean;
  now_.stretch(coordinate) = stretch;
}

double CmaEs::reach(Index coordinate) const {
  return now_.sigma * now_.stretch(coordinate) *
         std::max(std::abs(covariance_path_(coordinate)), std::sqrt(covariance_(coordinate, coordinate)));
}

const char* CmaEs::breakdown() const {
  if (!std::isfinite(now_.sigma) || !now_.mean.allFinite() || !covariance_.allFinite()) return "not finite";
  const double condition = std::pow(lengths_.maxCoeff() / lengths_.minCoeff(), 2);
  if (!(condition <= kWorstCondition)) return "condition";
  if (now_.sigma * lengths_.maxCoeff() > kMostGrowth * first_sigma_) return "step too long";
  const Index axis = generation_ % constants_.dimensions;
  const Eigen::VectorXd along = 0.1 * now_.sigma * now_.stretch.cwiseProduct(now_.transform->col(axis));
  if (now_.mean == now_.mean + along) return "no effect along an axis";
  for (Index i = 0; i < constants_.dimensions; ++i)
    if (now_.mean(i) == now_.mean(i) + 0.2 * now_.stretch(i) * deviation(i)) return "no effect in a coordinate";
  return nullptr;
}

}  // namespace tempera
