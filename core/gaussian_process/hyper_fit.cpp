#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "core/base/contract.hpp"
#include "core/gaussian_process/hyper_posterior.hpp"
#include "core/minimization/lbfgs.hpp"
#include "core/sampling/explorers/nuts_explorer.hpp"

namespace tempera {

namespace {

constexpr Index kAdaptations = 6;
constexpr Index kEvaluations = 60;          // of a search for the maximum
constexpr double kPromised = 1e-3;          // it ends when less is to be gained: far below what moves a prediction
constexpr double kAroundMode = 0.3;         // where chains begin, in the prior's standard deviations
constexpr int kDepth = 5, kDepthAgain = 3;  // of trees; in known scales seven steps get about
constexpr double kDoubt = 4;                // so many draws say what all coordinates have in common
constexpr double kLeastVariance = 1e-4;     // in the prior's units

LbfgsResult search(HyperPosterior& posterior, HyperMethod method, std::vector<double> start) {
  PathDensity density(posterior, 1);
  std::vector<double> reference(start.size());
  const SmoothFunction depth = [&](std::span<const double> u, std::span<double> gradient) {
    LogDensity parts;
    double height = 0;
    if (method == HyperMethod::mle) {
      parts = posterior.evaluate(u, reference, gradient);
      height = parts.likelihood;
    } else {
      height = density.at(u, parts, gradient);
    }
    for (double& slope : gradient) slope = -slope;
    return -height;
  };
  return minimize_lbfgs(depth, std::move(start), {.evaluations = kEvaluations, .promised = kPromised});
}

void find_mode(HyperPosterior& posterior, const HyperFitOptions& options, std::uint64_t seed, Dealer& dealer,
               const HyperFit* before, HyperFit& fit) {
  const auto size = static_cast<std::size_t>(posterior.dimension());
  const auto found = dealer.deal(before ? 1 : options.starts, [&](Index start) {
    std::vector<double> u(size);
    RandomStream stream(seed, "gp-mode", {start});
    if (before)
      u = before->mode;
    else if (start > 0)
      posterior.sample_reference(stream, u);
    const LbfgsResult result = search(posterior, options.method, std::move(u));
    std::vector<double> numbers{-result.value, static_cast<double>(result.evaluations)};
    numbers.insert(numbers.end(), result.x.begin(), result.x.end());
    return numbers;
  });
  for (const std::vector<double>& numbers : found) {
    fit.evaluations += static_cast<Index>(numbers[1]);
    if (!fit.mode.empty() && !(numbers[0] > fit.log_density)) continue;
    fit.log_density = numbers[0];
    fit.mode.assign(numbers.begin() + 2, numbers.end());
  }
}

/// Standard deviations of the draws, drawn towards what they have in common as far as a few draws are trusted.
std::vector<double> spread_of(const HyperFit& fit) {
  const auto count = static_cast<double>(fit.draws.size());
  const std::size_t size = fit.mode.size();
  std::vector<double> variances(size);
  double logarithm = 0;
  for (std::size_t i = 0; i < size; ++i) {
    double mean = 0, square = 0;
    for (const auto& draw : fit.draws) mean += draw[i] / count;
    for (const auto& draw : fit.draws) square += (draw[i] - mean) * (draw[i] - mean) / (count - 1);
    variances[i] = std::max(square, kLeastVariance);
    logarithm += std::log(variances[i]) / static_cast<double>(size);
  }
  for (double& variance : variances)
    variance = std::sqrt((count * variance + kDoubt * std::exp(logarithm)) / (count + kDoubt));
  return variances;
}

/// The first and the last draw of a chain.
struct Share {
  Index first, end;
};
Share share_of(Index chain, const HyperFitOptions& options) {
  return {chain * options.draws / options.chains, (chain + 1) * options.draws / options.chains};
}

/// @param before  null, or with as many draws and chains
/// @return draws one after the other, then the number of evaluations
std::vector<double> draw_chain(HyperPosterior& posterior, const HyperFitOptions& options, std::uint64_t seed,
                               Index chain, const std::vector<double>& mode, const HyperFit* before) {
  const Share share = share_of(chain, options);
  RandomStream stream(seed, "gp-draws", {chain});
  PathDensity density(posterior, 1);
  NutsExplorer explorer(NutsOptions{.max_depth = before ? kDepthAgain : kDepth});
  SamplePoint point{mode, {}};
  const double at_mode = density.at(point.u, point.density);
  if (std::isfinite(at_mode)) {
    SamplePoint start = point;
    if (before)
      start.u = before->draws[static_cast<std::size_t>(share.end - 1)];
    else
      for (double& value : start.u) value += kAroundMode * stream.normal();
    if (std::isfinite(density.at(start.u, start.density))) point = std::move(start);
  }
  ChainTuning tuning;
  tuning.means = mode;
  tuning.scales = before ? spread_of(*before) : std::vector<double>(mode.size(), 1.0);
  tuning.step_sizes = explorer.first_step_sizes(density, tuning, point, stream);
  for (Index round = 0; round < (before ? kAdaptations / 2 : kAdaptations); ++round) {
    ChainReport report;
    for (Index k = 0; k < options.warm_up / kAdaptations; ++k)
      report.add(explorer.step(density, tuning, point, stream));
    tuning.step_sizes = explorer.next_step_sizes(tuning, tuning, report);
  }
  std::vector<double> numbers;
  for (Index draw = share.first; draw < share.end; ++draw) {
    for (Index k = 0; k < options.thin; ++k) explorer.step(density, tuning, point, stream);
    numbers.insert(numbers.end(), point.u.begin(), point.u.end());
  }
  numbers.push_back(static_cast<double>(density.evaluations()));
  return numbers;
}

}  // namespace

HyperFit fit_hyperparameters(HyperPosterior& posterior, const HyperFitOptions& options, std::uint64_t seed,
                             Dealer& dealer, const HyperFit* before) {
  TEMPERA_EXPECTS(options.draws >= 1 && options.chains >= 1 && options.starts >= 1);
  HyperFit fit;
  find_mode(posterior, options, seed, dealer, before, fit);
  if (options.method != HyperMethod::bayes) {
    fit.draws = {fit.mode};
    return fit;
  }
  const bool again = before && std::ssize(before->draws) == options.draws && options.draws > 2;
  const auto chains = dealer.deal(options.chains, [&](Index chain) {
    return draw_chain(posterior, options, seed, chain, fit.mode, again ? before : nullptr);
  });
  for (Index chain = 0; chain < options.chains; ++chain) {
    const std::vector<double>& numbers = chains[static_cast<std::size_t>(chain)];
    const Share share = share_of(chain, options);
    auto u = numbers.begin();
    for (Index draw = share.first; draw < share.end; ++draw, u += std::ssize(fit.mode))
      fit.draws.emplace_back(u, u + std::ssize(fit.mode));
    fit.evaluations += static_cast<Index>(numbers.back());
  }
  return fit;
}

HyperFit fit_hyperparameters(HyperPosterior& posterior, const HyperFitOptions& options, std::uint64_t seed) {
  Dealer alone;
  return fit_hyperparameters(posterior, options, seed, alone);
}

}  // namespace tempera
