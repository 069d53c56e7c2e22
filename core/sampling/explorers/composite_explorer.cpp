#include "core/sampling/explorers/composite_explorer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/base/contract.hpp"
#include "core/base/error.hpp"

namespace tempera {

CompositeExplorer::CompositeExplorer(std::vector<std::unique_ptr<Explorer>> parts) : parts_(std::move(parts)) {
  TEMPERA_EXPECTS(!parts_.empty());
  if (const int count = CompositeExplorer::step_size_count(); count > kMostStepSizes)
    throw Error(
        Category::usage, "--explorer",
        fmt::format("the explorers have {} step sizes between them, at most {} are learnt", count, kMostStepSizes));
  CompositeExplorer::place_step_sizes(0);
}

bool CompositeExplorer::needs_gradient() const {
  return std::any_of(parts_.begin(), parts_.end(), [](const auto& part) { return part->needs_gradient(); });
}

bool CompositeExplorer::wants_covariance() const {
  return std::any_of(parts_.begin(), parts_.end(), [](const auto& part) { return part->wants_covariance(); });
}

bool CompositeExplorer::has_energy() const {
  return std::any_of(parts_.begin(), parts_.end(), [](const auto& part) { return part->has_energy(); });
}

int CompositeExplorer::step_size_count() const {
  return std::accumulate(parts_.begin(), parts_.end(), 0,
                         [](int sum, const auto& part) { return sum + part->step_size_count(); });
}

std::vector<double> CompositeExplorer::first_step_sizes(PathDensity& density, const ChainTuning& tuning,
                                                        const SamplePoint& point, RandomStream& stream) {
  std::vector<double> sizes;
  for (const auto& part : parts_)
    for (const double size : part->first_step_sizes(density, tuning, point, stream)) sizes.push_back(size);
  return sizes;
}

std::vector<double> CompositeExplorer::next_step_sizes(const ChainTuning& before, const ChainTuning& after,
                                                       const ChainReport& report) const {
  std::vector<double> sizes;
  for (const auto& part : parts_)
    for (const double size : part->next_step_sizes(before, after, report)) sizes.push_back(size);
  return sizes;
}

void CompositeExplorer::place_step_sizes(int place) {
  for (const auto& part : parts_) {
    part->place_step_sizes(place);
    place += part->step_size_count();
  }
}

std::vector<std::unique_ptr<Explorer>> CompositeExplorer::clone_parts() const {
  std::vector<std::unique_ptr<Explorer>> clones;
  for (const auto& part : parts_) clones.push_back(part->clone());
  return clones;
}

StepRecord CycleExplorer::step(PathDensity& density, const ChainTuning& tuning, SamplePoint& point,
                               RandomStream& stream) {
  StepRecord whole;
  whole.acceptance = 0;
  for (const auto& part : parts_) {
    const StepRecord record = part->step(density, tuning, point, stream);
    whole.acceptance += record.acceptance / static_cast<double>(parts_.size());
    whole.proposals += record.proposals;
    whole.depth = std::max(whole.depth, record.depth);
    whole.divergent = whole.divergent || record.divergent;
    whole.saturated = whole.saturated || record.saturated;
    if (part->has_energy()) whole.energy = record.energy;
    for (std::size_t k = 0; k < whole.step_sizes.size(); ++k)
      if (record.step_sizes[k].count > 0) whole.step_sizes[k] = record.step_sizes[k];
  }
  return whole;
}

MixtureExplorer::MixtureExplorer(std::vector<std::unique_ptr<Explorer>> parts, std::vector<double> weights)
    : CompositeExplorer(std::move(parts)), weights_(std::move(weights)) {
  TEMPERA_EXPECTS(weights_.size() == parts_.size());
  const auto bad = [](double weight) { return !(weight >= 0 && std::isfinite(weight)); };
  const double sum = std::accumulate(weights_.begin(), weights_.end(), 0.0);
  if (std::any_of(weights_.begin(), weights_.end(), bad) || !(sum > 0 && std::isfinite(sum)))
    throw Error(Category::usage, "--explorer", "weights of a mixture are nonnegative numbers, not all zero");
}

StepRecord MixtureExplorer::step(PathDensity& density, const ChainTuning& tuning, SamplePoint& point,
                                 RandomStream& stream) {
  return parts_[static_cast<std::size_t>(stream.categorical(weights_))]->step(density, tuning, point, stream);
}

}  // namespace tempera
