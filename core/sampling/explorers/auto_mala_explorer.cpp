#include "core/sampling/explorers/auto_mala_explorer.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>
#include <utility>

#include "core/base/option_schema.hpp"
#include "core/sampling/explorers/detail/step_size.hpp"

namespace tempera {

void AutoMalaOptions::declare(OptionSchema& schema) {
  declare_moves(schema, moves);
}

/// What one move has drawn, and how it chooses its step.
struct AutoMalaExplorer::Move {
  static constexpr int kMostChanges = 60;

  PathDensity& density;
  const Metric& metric;
  double step;          // the base
  double lower, upper;  // log a, log b
  Index leapfrogs = 0;

  /// log π(end) − log π(start) after a leapfrog step of step·2^exponent.
  double gain(const PhasePoint& start, int exponent, PhasePoint& end) {
    end = start;
    leapfrog(density, metric, std::ldexp(step, exponent), end);
    ++leapfrogs;
    return start.energy() - end.energy();
  }

  /// The exponent that is chosen from `start`, by minus the size of the gain; the leapfrog step with it leads to `end`. @param known the gain of an exponent
  /// that is not to be tried again (`end` is not written then), with its exponent
  int choose(const PhasePoint& start, PhasePoint& end, PhasePoint& spare, std::optional<std::pair<int, double>> known) {
    const auto attempt = [&](int exponent) {
      return -std::abs(known && known->first == exponent ? known->second : gain(start, exponent, end));
    };
    const double first = attempt(0);
    if (first > upper) {
      for (int exponent = 1; exponent <= kMostChanges; ++exponent) {
        std::swap(end, spare);  // of the exponent before
        const double next = attempt(exponent);
        if (next > upper) continue;
        std::swap(end, spare);
        return exponent - 1;
      }
      return kMostChanges;
    }
    if (first >= lower) return 0;
    for (int exponent = -1; exponent >= -kMostChanges; --exponent) {
      const double next = attempt(exponent);
      if (next > lower) return exponent;
    }
    return -kMostChanges;
  }
};

StepRecord AutoMalaExplorer::step(PathDensity& density, const ChainTuning& tuning, SamplePoint& point,
                                  RandomStream& stream) {
  StepRecord record;
  if (!enter(density, Metric(tuning, false), point, here_)) return stuck(record);
  for (PhasePoint* phase : {&there_, &back_, &spare_}) phase->resize(point.u.size());
  const int moves = options_.moves.value_or(default_moves(point.u.size()));
  double accepted = 0, exponents = 0;
  for (int k = 0; k < moves; ++k) {
    mix_metric(tuning.scales, stream);
    const Metric metric(mixed_scales_);
    pull_back(metric, here_);
    const double one = std::log(stream.uniform_open()), other = std::log(stream.uniform_open());
    Move move{density, metric, step_size(tuning), std::min(one, other), std::max(one, other)};
    draw_momentum(stream, here_);
    const int exponent = move.choose(here_, there_, spare_, {});
    exponents += exponent;
    const double gain = here_.energy() - there_.energy();
    double probability = metropolis(gain);
    if (probability > 0) {
      for (double& q : there_.momentum) q = -q;
      // The step back by the same exponent ends where the move began.
      if (move.choose(there_, back_, spare_, std::pair(exponent, -gain)) != exponent) probability = 0;
    }
    accepted += probability;
    if (stream.uniform() < probability) std::swap(here_, there_);
    record.proposals += move.leapfrogs;
  }
  leave(here_, point);
  record.acceptance = accepted / moves;
  note(record, record.acceptance, exponents / moves * std::numbers::ln2);
  return record;
}

void AutoMalaExplorer::mix_metric(std::span<const double> scales, RandomStream& stream) {
  const double kind = 3 * stream.uniform();
  const double weight = kind < 1 ? 0 : kind < 2 ? 1 : stream.uniform();
  double logarithms = 0;
  for (const double scale : scales) logarithms += std::log(scale);
  const double mean = std::exp(logarithms / static_cast<double>(scales.size()));
  mixed_scales_.resize(scales.size());
  for (std::size_t i = 0; i < scales.size(); ++i) mixed_scales_[i] = 1 / (weight / scales[i] + (1 - weight) / mean);
}

double AutoMalaExplorer::next_step_size(double step, const StepSizeUse& use, const ChainTuning& before,
                                        const ChainTuning& after) const {
  double log_change = 0;
  if (use.count > 0) log_change = damped(use.log_ratio / static_cast<double>(use.count), use.count);
  return within_reach(step * std::exp(log_change) * metric_change(3, false, before, after, trust_in(use)));
}

}  // namespace tempera
