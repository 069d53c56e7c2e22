#include "core/sampling/detail/centred_chains.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tempera::detail {

namespace {
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kRounding = 4 * std::numeric_limits<double>::epsilon();

double sum_of_squares(std::span<const double> values) {
  double sum = 0;
  for (const double value : values) sum += value * value;
  return sum;
}

double variance(std::span<const double> values) {
  const double mean = exact_mean(values);
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return squares / (static_cast<double>(values.size()) - 1);
}
}  // namespace

double exact_mean(std::span<const double> values) {
  const double size = static_cast<double>(values.size());
  double sum = 0;
  for (const double value : values) sum += value;
  const double mean = sum / size;
  if (!std::isfinite(mean)) return mean;
  double rest = 0;
  for (const double value : values) rest += value - mean;
  return mean + rest / size;
}

bool equal_within_rounding(double least, double largest) {
  return largest - least <= kRounding * std::max(std::abs(least), std::abs(largest));
}

void centre(CentredChains& chains) {
  chains.means.resize(chains.count);
  double least = std::numeric_limits<double>::infinity();
  double largest = -least;
  for (std::size_t chain = 0; chain < chains.count; ++chain) {
    const std::span<double> row(chains.values.data() + chain * chains.length, chains.length);
    const double mean = exact_mean(row);
    for (double& value : row) {
      least = std::min(least, value);
      largest = std::max(largest, value);
      value -= mean;
    }
    chains.means[chain] = mean;
  }
  chains.constant = chains.values.empty() || equal_within_rounding(least, largest);
}

double variance_of_means(const CentredChains& chains) {
  return variance(chains.means);
}

double basic_rhat(const CentredChains& chains) {
  if (chains.constant || chains.length < 2 || chains.count < 2) return kNaN;
  const double length = static_cast<double>(chains.length);
  const double within = sum_of_squares(chains.values) / (static_cast<double>(chains.count) * (length - 1));
  return std::sqrt((length * variance_of_means(chains) / within + length - 1) / length);
}

double nested_rhat(const CentredChains& chains, std::span<const std::vector<std::size_t>> groups) {
  const double group_size = static_cast<double>(groups[0].size());
  const double divisor = group_size * (static_cast<double>(chains.length) - 1);
  std::vector<double> group_means;
  double inside = 0;
  for (const std::vector<std::size_t>& group : groups) {
    std::vector<double> means;
    double squares = 0;
    for (const std::size_t chain : group) {
      means.push_back(chains.means[chain]);
      squares += sum_of_squares(chains.row(chain));
    }
    group_means.push_back(exact_mean(means));
    inside += (group.size() > 1 ? variance(means) : 0) + (chains.length > 1 ? squares / divisor : 0);
  }
  return std::sqrt(1 + variance(group_means) / (inside / static_cast<double>(groups.size())));
}

}  // namespace tempera::detail
