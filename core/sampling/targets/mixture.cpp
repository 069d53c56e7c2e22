#include "core/sampling/targets/mixture.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/base/option_schema.hpp"
#include "core/sampling/detail/densities.hpp"

namespace tempera {

void MixtureOptions::declare(OptionSchema& schema) {
  schema.integer("dim", dim).minimum(1).maximum(1e6).help("dimension");
  schema.integer("modes", modes).minimum(1).maximum(1e6).help("number of Gaussians");
  schema.real("sd", sd).above(0).help("standard deviation of each in every coordinate");
  schema.real("side", side).above(0).help("side of the cube that holds them");
  schema.integer("seed", seed).minimum(0).help("seed of the centres");
}

MixtureTarget::MixtureTarget(const MixtureOptions& options)
    : Target({{"x", {options.dim}, Transform::interval(0, options.side)}}),
      modes_(static_cast<std::size_t>(options.modes)),
      sd_(options.sd),
      side_(options.side),
      log_normalisation_(-static_cast<double>(options.dim) * (0.5 * detail::kLogTwoPi + std::log(sd_)) -
                         std::log(static_cast<double>(options.modes))),
      centres_(static_cast<std::size_t>(options.dim) * modes_),
      point_(static_cast<std::size_t>(options.dim)),
      slope_(point_.size()),
      weight_(modes_) {
  constexpr double kRim = 6;  // standard deviations
  const double rim = std::min(kRim * sd_, side_ / 2);
  for (std::size_t k = 0; k < modes_; ++k) {
    RandomStream stream(static_cast<std::uint64_t>(options.seed), "mixture-centre", {static_cast<Index>(k)});
    for (std::size_t d = 0; d < point_.size(); ++d)
      centres_[d * modes_ + k] = rim + (side_ - 2 * rim) * stream.uniform_open();
  }
}

double MixtureTarget::centre(Index mode, Index entry) const {
  return centres_[static_cast<std::size_t>(entry) * modes_ + static_cast<std::size_t>(mode)];
}

LogDensity MixtureTarget::evaluate(std::span<const double> u, std::span<double> reference_gradient,
                                   std::span<double> likelihood_gradient) {
  LogDensity density;
  detail::LogProduct product;
  for (std::size_t d = 0; d < u.size(); ++d) {  // u is logistic where x is uniform
    const double e = std::exp(-std::abs(u[d]));
    const double to_nearer_wall = side_ * e / (1 + e);
    point_[d] = u[d] < 0 ? to_nearer_wall : side_ - to_nearer_wall;
    slope_[d] = to_nearer_wall / (1 + e);
    density.reference -= std::abs(u[d]);
    product.multiply(1 + e);
  }
  density.reference -= 2 * product.log();
  density.likelihood = log_likelihood();
  if (likelihood_gradient.empty()) return density;
  for (std::size_t d = 0; d < u.size(); ++d) reference_gradient[d] = -std::tanh(u[d] / 2);
  likelihood_gradient_from_distances(likelihood_gradient);
  return density;
}

double MixtureTarget::log_likelihood() {
  std::fill(weight_.begin(), weight_.end(), 0.0);
  for (std::size_t d = 0; d < point_.size(); ++d) {
    const double x = point_[d];
    const double* centre = centres_.data() + d * modes_;
    for (std::size_t k = 0; k < modes_; ++k) weight_[k] += (x - centre[k]) * (x - centre[k]);
  }
  constexpr double kNothing = 80;  // e^−80 is lost in any sum that holds a one
  const double nearest = *std::min_element(weight_.begin(), weight_.end());
  const double half_precision = 0.5 / (sd_ * sd_);
  double sum = 0;
  for (double& weight : weight_) {
    const double below = half_precision * (weight - nearest);
    weight = below < kNothing ? std::exp(-below) : 0;
    sum += weight;
  }
  for (double& weight : weight_) weight /= sum;
  return log_normalisation_ - half_precision * nearest + std::log(sum);
}

void MixtureTarget::likelihood_gradient_from_distances(std::span<double> gradient) {
  const double precision = 1 / (sd_ * sd_);
  for (std::size_t d = 0; d < point_.size(); ++d) {
    const double* centre = centres_.data() + d * modes_;
    double pull = 0;
    for (std::size_t k = 0; k < modes_; ++k) pull += weight_[k] * (centre[k] - point_[d]);
    gradient[d] = precision * pull * slope_[d];
  }
}

void MixtureTarget::sample_reference(RandomStream& stream, std::span<double> u) {
  for (double& value : u) {
    const double share = stream.uniform_open();
    value = std::log(share / (1 - share));
  }
}

double MixtureTarget::log_evidence() const {
  const double scale = 1 / (sd_ * std::numbers::sqrt2);
  double mass = 0;  // each factor is at least about ½ (a centre lies in the cube)
  for (std::size_t k = 0; k < modes_; ++k) {
    double inside = 1;
    for (std::size_t d = 0; d < point_.size(); ++d) {
      const double centre = centres_[d * modes_ + k];
      inside *= 0.5 * (std::erf((side_ - centre) * scale) + std::erf(centre * scale));
    }
    mass += inside;
  }
  return std::log(mass / static_cast<double>(modes_)) - static_cast<double>(point_.size()) * std::log(side_);
}

}  // namespace tempera
