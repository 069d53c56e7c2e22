#include "core/linalg/prox.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "core/base/contract.hpp"

namespace tempera {

namespace {

/// Entries that share one value, their mean.
struct Block {
  double sum;
  double count;
  double gain;  ///< of this block and those before it
  double mean() const { return sum / count; }
};

/// By how much the nearest value within the bounds beats zero: Σv² − Σ(v − c)².
double gain_of(double sum, double count, double lower, double upper) {
  const double value = std::clamp(sum / count, lower, upper);
  return value * (2 * sum - count * value);
}

/// Nondecreasing fit of the first entries, one more at a time.
class RisingFit {
 public:
  RisingFit(double lower, double upper) : lower_(lower), upper_(upper) {}

  void append(double value) {
    Block block{value, 1, 0};
    while (!blocks_.empty() && blocks_.back().mean() >= block.mean()) {
      block.sum += blocks_.back().sum;
      block.count += blocks_.back().count;
      blocks_.pop_back();
    }
    const double before = blocks_.empty() ? 0.0 : blocks_.back().gain;
    block.gain = before + gain_of(block.sum, block.count, lower_, upper_);
    blocks_.push_back(block);
  }
  double gain() const { return blocks_.empty() ? 0.0 : blocks_.back().gain; }
  template <class Iterator>
  void write(Iterator to) const {
    for (const Block& block : blocks_)
      to = std::fill_n(to, static_cast<std::ptrdiff_t>(block.count), std::clamp(block.mean(), lower_, upper_));
  }

 private:
  double lower_, upper_;
  std::vector<Block> blocks_;
};

}  // namespace

void soft_threshold(std::span<double> x, double threshold) {
  for (double& value : x) value = std::copysign(std::max(0.0, std::abs(value) - threshold), value);
}

void clip(std::span<double> x, double lower, double upper) {
  for (double& value : x) value = std::clamp(value, lower, upper);
}

void project_ball(std::span<double> x) {
  const double norm = std::sqrt(std::inner_product(x.begin(), x.end(), x.begin(), 0.0));
  if (norm <= 1) return;
  for (double& value : x) value /= norm;
}

void project_simplex(std::span<double> x, double lower, double upper) {
  [[maybe_unused]] const auto count = static_cast<double>(x.size());
  TEMPERA_EXPECTS(!x.empty() && count * lower <= 1 + 1e-12 && count * upper >= 1 - 1e-12);
  // The sum falls with τ and is linear between the points where an entry reaches a bound.
  std::vector<double> kinks;
  for (const double value : x) {
    kinks.push_back(value - lower);
    if (std::isfinite(upper)) kinks.push_back(value - upper);
  }
  std::sort(kinks.begin(), kinks.end());
  const auto sum_at = [&](double shift) {
    double sum = 0;
    for (const double value : x) sum += std::clamp(value - shift, lower, upper);
    return sum;
  };
  // The first kink at which the sum is at most 1; τ lies between the kink before and that one.
  const auto above = std::partition_point(kinks.begin(), kinks.end(), [&](double kink) { return sum_at(kink) > 1; });
  const double left = above == kinks.begin() ? kinks.front() - 1 : *(above - 1);
  const double right = above == kinks.end() ? kinks.back() : *above;
  const double middle = 0.5 * (left + right);
  double fixed = 0, free_sum = 0, free_count = 0;
  for (const double value : x) {
    if (value - middle <= lower)
      fixed += lower;
    else if (value - middle >= upper)
      fixed += upper;
    else
      free_sum += value, free_count += 1;
  }
  const double shift = free_count > 0 ? (free_sum + fixed - 1) / free_count : right;
  for (double& value : x) value = std::clamp(value - shift, lower, upper);
}

void project_monotone(std::span<double> x, double lower, double upper) {
  RisingFit fit(lower, upper);
  for (const double value : x) fit.append(value);
  fit.write(x.begin());
}

void project_unimodal(std::span<double> x, double lower, double upper) {
  const std::size_t size = x.size();
  std::vector<double> gain(size + 1, 0.0);  // of rising before k and falling from k on
  RisingFit from_left(lower, upper), from_right(lower, upper);
  for (std::size_t k = 0; k < size; ++k) {
    from_left.append(x[k]);
    gain[k + 1] += from_left.gain();
  }
  for (std::size_t k = size; k-- > 0;) {
    from_right.append(x[k]);
    gain[k] += from_right.gain();
  }
  const auto split = std::max_element(gain.begin(), gain.end()) - gain.begin();
  project_monotone(x.first(static_cast<std::size_t>(split)), lower, upper);
  const auto falling = x.subspan(static_cast<std::size_t>(split));
  std::reverse(falling.begin(), falling.end());
  project_monotone(falling, lower, upper);
  std::reverse(falling.begin(), falling.end());
}

}  // namespace tempera
