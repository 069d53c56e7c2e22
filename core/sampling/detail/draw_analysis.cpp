#include "core/sampling/detail/draw_analysis.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/contract.hpp"
#include "core/base/error.hpp"

namespace tempera::detail {

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

void expect_equal_lengths(ChainDraws chains) {
  for (std::size_t chain = 1; chain < chains.size(); ++chain)
    if (chains[chain].size() != chains[0].size())
      throw Error(
          Category::shape, "diagnostics",
          fmt::format("chain {} has {} draws, chain 1 has {}", chain + 1, chains[chain].size(), chains[0].size()),
          "cut all chains to the length of the shortest");
}

}  // namespace

void DrawAnalysis::load(ChainDraws chains) {
  expect_equal_lengths(chains);
  const std::size_t length = chains.empty() ? 0 : chains[0].size();
  const std::size_t half = length / 2;
  halves_.count = 2 * chains.size();
  halves_.length = half;
  draws_.resize(chains.size() * length);
  double* next = draws_.data();
  for (const std::span<const double> chain : chains) {
    next = std::copy_n(chain.begin(), half, next);
    next = std::copy_n(chain.end() - static_cast<std::ptrdiff_t>(half), half, next);
  }
  if (length % 2 == 1)
    for (const std::span<const double> chain : chains) *next++ = chain[half];
  sorted_ = false;
  find_moments();
}

void DrawAnalysis::find_moments() {
  double least = std::numeric_limits<double>::infinity();
  double largest = -least;
  has_nan_ = draws_.empty();
  for (const double draw : draws_) {
    has_nan_ = has_nan_ || std::isnan(draw);
    least = std::min(least, draw);
    largest = std::max(largest, draw);
  }
  const bool finite = !has_nan_ && std::isfinite(least) && std::isfinite(largest);
  usable_ = finite && !equal_within_rounding(least, largest);
  mean_ = exact_mean(draws_);
  double squares = 0;
  for (const double draw : draws_) squares += (draw - mean_) * (draw - mean_);
  sd_ = draws_.size() > 1 ? std::sqrt(squares / (static_cast<double>(draws_.size()) - 1)) : kNaN;
}

void DrawAnalysis::sort() {
  if (sorted_) return;
  order_.resize(draws_.size());
  for (std::size_t i = 0; i < draws_.size(); ++i) order_[i] = {draws_[i], i};
  sort_draws(order_);
  sorted_ = true;
}

double DrawAnalysis::order_statistic(std::size_t k) {
  sort();
  return order_[k].value;
}

// The order of these operations decides which draws an indicator x ≤ quantile counts; it is that of R.
double DrawAnalysis::quantile(double p) {
  TEMPERA_EXPECTS(p >= 0 && p <= 1);
  if (has_nan_) return kNaN;
  sort();
  const double position = static_cast<double>(order_.size() - 1) * p;
  const double whole = std::floor(position);
  const double part = position - whole;
  const auto lower = static_cast<std::size_t>(whole);
  const double value = order_[lower].value;
  if (part == 0 || order_[lower + 1].value == value) return value;
  return (1 - part) * value + part * order_[lower + 1].value;
}

const CentredChains& DrawAnalysis::centred_draws() {
  halves_.values.resize(in_halves().size());
  // Measured from the mean, so that the means of the halves keep their digits where draws lie far from zero.
  for (std::size_t i = 0; i < halves_.values.size(); ++i) halves_.values[i] = draws_[i] - mean_;
  centre(halves_);
  return halves_;
}

const CentredChains& DrawAnalysis::centred_squares() {
  double least = std::numeric_limits<double>::infinity();
  double largest = 0;
  halves_.values.resize(in_halves().size());
  for (std::size_t i = 0; i < halves_.values.size(); ++i) {
    const double deviation = std::abs(draws_[i] - mean_);
    least = std::min(least, deviation);
    largest = std::max(largest, deviation);
    halves_.values[i] = deviation / sd_ * (deviation / sd_);
  }
  centre(halves_);
  // Two values, equally often: the deviations are equal but for the rounding of the mean.
  const double rounding = 4 * std::numeric_limits<double>::epsilon() * (std::abs(mean_) + largest);
  halves_.constant = halves_.constant || largest - least <= rounding;
  return halves_;
}

const CentredChains& DrawAnalysis::centred_indicators(double threshold) {
  halves_.values.resize(in_halves().size());
  for (std::size_t i = 0; i < halves_.values.size(); ++i) halves_.values[i] = draws_[i] <= threshold ? 1 : 0;
  centre(halves_);
  return halves_;
}

const CentredChains& DrawAnalysis::centred_scores() {
  sort();
  halves_.values.resize(in_halves().size());
  scores_.write(order_, halves_.values);
  centre(halves_);
  return halves_;
}

const CentredChains& DrawAnalysis::centred_folded_scores() {
  const std::size_t middle = draws_.size() / 2;
  const double upper = order_statistic(middle);
  const double median = draws_.size() % 2 == 1 ? upper : (order_statistic(middle - 1) + upper) / 2;
  fold_sorted(order_, median, folded_);
  halves_.values.resize(in_halves().size());
  scores_.write(folded_, halves_.values);
  centre(halves_);
  return halves_;
}

double DrawAnalysis::variance_of_squares() const {
  const double size = static_cast<double>(draws_.size());
  const double mean_square = (size - 1) / size;
  double sum = 0;
  for (const double draw : draws_) {
    const double deviation = (draw - mean_) / sd_;
    const double excess = deviation * deviation - mean_square;
    sum += excess * excess;
  }
  return sum / size;
}

}  // namespace tempera::detail
