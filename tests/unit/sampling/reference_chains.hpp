#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "core/sampling/diagnostics.hpp"

namespace tempera::test {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

using Chains = std::vector<std::vector<double>>;

/// Spans of chains, as the diagnostics take them.
struct Views {
  explicit Views(const Chains& chains) : spans(chains.begin(), chains.end()) {}
  operator ChainDraws() const { return spans; }  // NOLINT: made to be passed on
  std::vector<std::span<const double>> spans;
};

/// A set of chains and what posterior says of it: the members of ParameterSummary in their order, then rhat_bulk,
/// rhat_folded, ess_mean, ess_sd, ess_median, ess_quantile(0.25), ess_quantile(1), mcse_quantile(0.05), mcse_median,
/// mcse_quantile(0.99), rhat_nested of neighbouring pairs.
struct ReferenceSet {
  std::string shape;
  std::size_t chains;
  std::size_t draws;
  std::int64_t seed;
  double phi;
  std::vector<double> values;
};

/// A column of a file of real draws and the members of ParameterSummary.
struct ReferencePosterior {
  std::string posterior;
  std::string parameter;
  std::vector<double> values;
};

/// x_t = φ x_{t−1} + noise of variance 1 from a Lehmer generator: sums and products alone, the same bits in any language.
inline std::vector<double> autoregression(std::size_t draws, std::int64_t seed, double phi) {
  std::vector<double> x(draws);
  double before = 0;
  for (double& value : x) {
    double sum = 0;
    for (int i = 0; i < 4; ++i) {
      seed = 16807 * seed % 2147483647;
      sum += static_cast<double>(seed) / 2147483647;
    }
    value = before = phi * before + (sum - 2) * std::sqrt(3.0);
  }
  return x;
}

/// A draw bent into the shape of that name; t is its place in the chain.
inline double shaped(double x, const ReferenceSet& set, std::size_t chain, std::size_t t) {
  const bool last = chain + 1 == set.chains;
  const auto step = static_cast<double>(t);
  if (set.shape == "plain") return x;
  if (set.shape == "shifted") return x + (last ? 1.5 : 0);
  if (set.shape == "scaled") return x * (last ? 5 : 1);
  if (set.shape == "rounded") return std::floor(2 * x);
  if (set.shape == "signs") return x > 0 ? 1 : -1;
  if (set.shape == "rare") return x > 1.5 ? 1 : 0;
  if (set.shape == "alternating") return t % 2 == 0 ? 1 : -1;
  if (set.shape == "cubed") return x * x * x;
  if (set.shape == "drifting") return x + 3 * step / static_cast<double>(set.draws);
  if (set.shape == "distant") return 1e6 + x / 64;
  if (set.shape == "tiny") return x / 1048576;
  if (set.shape == "constant") return 3.25;
  if (set.shape == "stuck") return static_cast<double>(chain);
  if (set.shape == "half_stuck") return last ? 0.5 : x;
  return kNaN;
}

inline Chains make_chains(const ReferenceSet& set) {
  Chains chains;
  for (std::size_t chain = 0; chain < set.chains; ++chain) {
    chains.push_back(autoregression(set.draws, set.seed * 1000 + static_cast<std::int64_t>(chain) + 1, set.phi));
    for (std::size_t t = 0; t < set.draws; ++t) chains[chain][t] = shaped(chains[chain][t], set, chain, t);
  }
  return chains;
}

}  // namespace tempera::test
