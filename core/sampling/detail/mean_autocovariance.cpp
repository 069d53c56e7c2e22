#include "core/sampling/detail/mean_autocovariance.hpp"

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <limits>

namespace tempera::detail {

namespace {

constexpr std::size_t kDirectLags = 64;  // about where one transform costs as much as the sums so far

/// Smallest length ≥ `least` that is a multiple of 4 (Eigen's fast path for real numbers) and has no factor above 5.
std::size_t transform_length(std::size_t least) {
  for (std::size_t length = (least + 3) / 4 * 4;; length += 4) {
    std::size_t rest = length;
    for (const std::size_t factor : {2U, 3U, 5U})
      while (rest % factor == 0) rest /= factor;
    if (rest == 1) return length;
  }
}

/// Autocorrelations of Geyer's initial positive sequence, pair by pair. The last pair ends it and counts with its even
/// member alone, which makes the estimate steadier in antithetic chains.
std::vector<MeanAutocovariance::Pair> initial_positive_sequence(MeanAutocovariance& autocovariance, double within,
                                                                double total, std::size_t length) {
  const auto correlations = [&](std::size_t lag) {
    const MeanAutocovariance::Pair lagged = autocovariance.pair(lag);
    return MeanAutocovariance::Pair{1 - (within - lagged.even) / total, 1 - (within - lagged.odd) / total};
  };
  MeanAutocovariance::Pair latest = correlations(0);
  latest.even = 1;
  std::vector<MeanAutocovariance::Pair> sequence{latest};
  for (std::size_t lag = 2; lag + 3 < length && latest.even + latest.odd > 0; lag += 2) {
    latest = correlations(lag);
    sequence.push_back(latest.even + latest.odd >= 0 ? latest : MeanAutocovariance::Pair{0, 0});
  }
  if (latest.even > 0) sequence.back().even = latest.even;
  return sequence;
}

}  // namespace

void MeanAutocovariance::attach(const CentredChains& chains) {
  chains_ = &chains;
  transformed_ = false;
}

MeanAutocovariance::Pair MeanAutocovariance::pair(std::size_t even) {
  const double divisor = static_cast<double>(chains_->count) * static_cast<double>(chains_->length);
  if (even < kDirectLags) return {lagged_products(even) / divisor, lagged_products(even + 1) / divisor};
  if (!transformed_) transform_all();
  const double scale = divisor * static_cast<double>(padded_.size());
  return {padded_[even] / scale, padded_[even + 1] / scale};
}

double MeanAutocovariance::lagged_products(std::size_t lag) const {
  const auto terms = static_cast<Eigen::Index>(chains_->length - lag);
  double sum = 0;
  for (std::size_t chain = 0; chain < chains_->count; ++chain) {
    const double* row = chains_->row(chain).data();
    sum += Eigen::Map<const Eigen::VectorXd>(row, terms).dot(Eigen::Map<const Eigen::VectorXd>(row + lag, terms));
  }
  return sum;
}

// The transform of a sum is the sum of the transforms: one way back serves all chains.
void MeanAutocovariance::transform_all() {
  const std::size_t size = transform_length(2 * chains_->length);
  const auto eigen_size = static_cast<Eigen::Index>(size);
  padded_.resize(size);
  spectrum_.resize(size / 2 + 1);
  power_.assign(size / 2 + 1, 0.0);
  for (std::size_t chain = 0; chain < chains_->count; ++chain) {
    const std::span<const double> row = chains_->row(chain);
    std::fill(std::copy(row.begin(), row.end(), padded_.begin()), padded_.end(), 0.0);
    transform_.fwd(spectrum_.data(), padded_.data(), eigen_size);
    for (std::size_t k = 0; k < power_.size(); ++k) power_[k] += std::norm(spectrum_[k]);
  }
  transform_.inv(padded_.data(), power_.data(), eigen_size);
  transformed_ = true;
}

double effective_sample_size(const CentredChains& chains, MeanAutocovariance& autocovariance) {
  if (chains.constant || chains.length < 3) return std::numeric_limits<double>::quiet_NaN();
  autocovariance.attach(chains);
  const double length = static_cast<double>(chains.length);
  const double draws = length * static_cast<double>(chains.count);
  const double biased = autocovariance.pair(0).even;
  const double within = biased * length / (length - 1);
  const double total = biased + (chains.count > 1 ? variance_of_means(chains) : 0);

  std::vector<MeanAutocovariance::Pair> rho = initial_positive_sequence(autocovariance, within, total, chains.length);
  const std::size_t last = rho.size() - 1;
  for (std::size_t k = 1; k < last; ++k) {
    const double before = rho[k - 1].even + rho[k - 1].odd;
    if (rho[k].even + rho[k].odd > before) rho[k] = {before / 2, before / 2};
  }
  // posterior counts ρ_0 once more where the sequence is nothing but its first pair: chains of at most five draws and
  // perfectly alternating ones come out at τ = 2.
  double sum = last == 0 ? rho[0].even : 0;
  for (std::size_t k = 0; k < last; ++k) sum += rho[k].even + rho[k].odd;
  const double tau = -1 + 2 * sum + rho[last].even;
  return draws / std::max(tau, 1 / std::log10(draws));
}

}  // namespace tempera::detail
