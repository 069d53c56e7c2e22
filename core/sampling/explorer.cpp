#include "core/sampling/explorer.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/contract.hpp"

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

namespace {

void add_uses(std::array<StepSizeUse, kMostStepSizes>& sums, const std::array<StepSizeUse, kMostStepSizes>& more) {
  for (std::size_t k = 0; k < sums.size(); ++k) {
    sums[k].count += more[k].count;
    sums[k].acceptance += more[k].acceptance;
    sums[k].log_ratio += more[k].log_ratio;
  }
}

}  // namespace

void ChainReport::add(const StepRecord& record) {
  ++count;
  acceptance += record.acceptance;
  proposals += record.proposals;
  divergences += record.divergent ? 1 : 0;
  saturations += record.saturated ? 1 : 0;
  add_uses(step_sizes, record.step_sizes);
}

void ChainReport::add(const ChainReport& other) {
  count += other.count;
  acceptance += other.acceptance;
  proposals += other.proposals;
  divergences += other.divergences;
  saturations += other.saturations;
  add_uses(step_sizes, other.step_sizes);
}

std::vector<double> Explorer::first_step_sizes(PathDensity&, const ChainTuning&, const SamplePoint&, RandomStream&) {
  return {};
}

std::vector<double> Explorer::next_step_sizes(const ChainTuning&, const ChainTuning&, const ChainReport&) const {
  return {};
}

void Explorer::place_step_sizes(int) {}

std::vector<double> SteppingExplorer::first_step_sizes(PathDensity& density, const ChainTuning& tuning,
                                                       const SamplePoint& point, RandomStream& stream) {
  return {first_step_size(density, tuning, point, stream)};
}

std::vector<double> SteppingExplorer::next_step_sizes(const ChainTuning& before, const ChainTuning& after,
                                                      const ChainReport& report) const {
  return {next_step_size(step_size(before), report.step_sizes[place_], before, after)};
}

double SteppingExplorer::step_size(const ChainTuning& tuning) const {
  TEMPERA_EXPECTS(place_ < tuning.step_sizes.size() && tuning.step_sizes[place_] > 0);
  return tuning.step_sizes[place_];
}

void SteppingExplorer::note(StepRecord& record, double acceptance, double log_ratio) const {
  record.step_sizes[place_] = {1, acceptance, log_ratio};
}

}  // namespace tempera
