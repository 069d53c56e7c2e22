#include "core/sampling/explorers/detail/approximation.hpp"

#include <algorithm>
#include <cmath>

#include "core/base/option_schema.hpp"

namespace tempera {

void ApproximationOptions::declare(OptionSchema& schema) {
  schema.real("degrees", degrees)
      .above(0)
      .maximum(1e9)
      .absent("normal")
      .help("degrees of freedom of the approximating t; normal: a normal approximation");
  schema.flag("diagonal", diagonal).help("the approximation ignores correlations");
}

void Approximation::place(std::span<const double> z, std::span<double> u) const {
  if (means_.empty())
    std::fill(u.begin(), u.end(), 0.0);
  else
    std::copy(means_.begin(), means_.end(), u.begin());
  metric_.add_image(1, z, u);
}

void Approximation::whiten(std::span<const double> u, std::span<double> z) const {
  for (std::size_t i = 0; i < u.size(); ++i) z[i] = u[i] - (means_.empty() ? 0 : means_[i]);
  metric_.whiten(z);
}

double Approximation::log_density(std::span<const double> z) const {
  const double square = squared_norm(z);
  if (!degrees_) return -0.5 * square;
  return -0.5 * (*degrees_ + static_cast<double>(z.size())) * std::log1p(square / *degrees_);
}

double Approximation::draw_variance(RandomStream& stream, double squared_norm, std::size_t entries) const {
  if (!degrees_) return 1;
  return 0.5 * (*degrees_ + squared_norm) / stream.gamma(0.5 * (*degrees_ + static_cast<double>(entries)));
}

}  // namespace tempera
