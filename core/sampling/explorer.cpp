#include "core/sampling/explorer.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tempera {

double PathDensity::combined(const LogDensity& parts) const {
  const double value = beta_ == 0 ? parts.reference : parts.reference + beta_ * parts.likelihood;
  return std::isnan(value) ? -std::numeric_limits<double>::infinity() : value;
}

double PathDensity::invalid_at(LogDensity& parts) {
  ++invalid_;
  const double zero = -std::numeric_limits<double>::infinity();
  parts = {zero, zero};
  return zero;
}

double PathDensity::at(std::span<const double> u, LogDensity& parts) {
  ++evaluations_;
  parts = target_->evaluate(u);
  if (std::isnan(parts.reference) || std::isnan(parts.likelihood)) return invalid_at(parts);
  return combined(parts);
}

double PathDensity::at(std::span<const double> u, LogDensity& parts, std::span<double> gradient) {
  ++evaluations_;
  ++gradients_;
  likelihood_gradient_.resize(u.size());
  parts = target_->evaluate(u, gradient, likelihood_gradient_);
  if (std::isnan(parts.reference) || std::isnan(parts.likelihood)) return invalid_at(parts);
  const double value = combined(parts);
  if (beta_ != 0)
    for (std::size_t i = 0; i < gradient.size(); ++i) gradient[i] += beta_ * likelihood_gradient_[i];
  double sum = 0;  // finite if every entry is; where it overflows without need, the entries are looked at
  for (const double entry : gradient) sum += entry;
  const auto finite = [](double entry) { return std::isfinite(entry); };
  if (std::isfinite(value) && !std::isfinite(sum) && !std::all_of(gradient.begin(), gradient.end(), finite))
    return invalid_at(parts);
  return value;
}

double Explorer::first_step_size(PathDensity&, const ChainTuning&, const SamplePoint&, RandomStream&) {
  return 0;
}

double Explorer::next_step_size(const ChainTuning& tuning, const ChainReport&) const {
  return tuning.step_size;
}

}  // namespace tempera
