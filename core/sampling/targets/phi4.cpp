#include "core/sampling/targets/phi4.hpp"

#include <cmath>
#include <numbers>

#include "core/base/error.hpp"
#include "core/base/option_schema.hpp"
#include "core/sampling/detail/densities.hpp"
#include "core/sampling/detail/lattice.hpp"

namespace tempera {

void Phi4Options::declare(OptionSchema& schema) {
  schema.integer("size", size).minimum(2).maximum(1e4).help("sites along a side");
  schema.real("hopping", hopping).minimum(0).help("strength of the bonds");
  schema.real("coupling", coupling).minimum(0).help("weight of (phi^2 - 1)^2");
}

Phi4Target::Phi4Target(const Phi4Options& options)
    : Target({{"phi", {options.size, options.size}, Transform::identity()}}),
      size_(static_cast<std::size_t>(options.size)),
      hopping_(options.hopping),
      coupling_(options.coupling) {
  if (coupling_ == 0 && hopping_ >= 0.25)
    throw Error(Category::usage, "--set", "without coupling the density has no integral for hopping 0.25 and above",
                "set a positive coupling");
}

LogDensity Phi4Target::evaluate(std::span<const double> u, std::span<double> reference_gradient,
                                std::span<double> likelihood_gradient) {
  double norm = 0;
  double wells = 0;
  for (const double phi : u) {
    const double excess = phi * phi - 1;
    norm += phi * phi;
    wells += excess * excess;
  }
  for (std::size_t row = 0; row < size_ && !reference_gradient.empty(); ++row)
    for (std::size_t column = 0; column < size_; ++column) {
      const std::size_t i = row * size_ + column;
      const double around = detail::neighbours(u, size_, row, column);
      reference_gradient[i] = -2 * u[i];
      likelihood_gradient[i] = 2 * hopping_ * around - 4 * coupling_ * u[i] * (u[i] * u[i] - 1);
    }
  const double bonds = detail::sum_over_bonds(u, size_, [](double a, double b) { return a * b; });
  static const double log_pi = std::log(std::numbers::pi);
  return {-norm - 0.5 * static_cast<double>(u.size()) * log_pi, 2 * hopping_ * bonds - coupling_ * wells};
}

void Phi4Target::sample_reference(RandomStream& stream, std::span<double> u) {
  for (double& value : u) value = stream.normal() / std::numbers::sqrt2;
}

}  // namespace tempera
