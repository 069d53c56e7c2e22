#pragma once

#include <optional>
#include <vector>

#include "core/sampling/explorer.hpp"
#include "core/sampling/explorers/detail/metric.hpp"

namespace tempera {

class OptionSchema;

/// What explorers around such an approximation are told of it.
struct ApproximationOptions {
  std::optional<double> degrees = 5;  ///< of freedom; none: normal
  bool diagonal = false;              ///< no covariance
  void declare(OptionSchema& schema);
};

/// The multivariate t (normal, without degrees of freedom) with the means and the metric of a tuning: u = mean + S z.
class Approximation {
 public:
  Approximation(const ChainTuning& tuning, bool dense, std::optional<double> degrees)
      : means_(tuning.means), metric_(tuning, dense), degrees_(degrees) {}

  /// u(z)
  void place(std::span<const double> z, std::span<double> u) const;
  /// z(u)
  void whiten(std::span<const double> u, std::span<double> z) const;
  /// log density of z up to a constant.
  double log_density(std::span<const double> z) const;
  /// A draw of the variance v with which z | v ~ N(0, v I), given |z|² and so many entries; of the prior one without them.
  double draw_variance(RandomStream& stream, double squared_norm = 0, std::size_t entries = 0) const;

 private:
  std::span<const double> means_;  // empty: 0
  Metric metric_;
  std::optional<double> degrees_;
};

}  // namespace tempera
