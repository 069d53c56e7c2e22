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
constexpr Index kEvaluations = 60;   // of a search for the maximum
constexpr double kPromised = 1e-3;   // it ends when less is to be gained: far below what moves a prediction
constexpr double kAroundMode = 0.3;  // where chains begin, in the prior's standard deviations
constexpr int kDepth = 5;

void find_mode(HyperPosterior& posterior, const HyperFitOptions& options, std::uint64_t seed, HyperFit& fit) {
  PathDensity density(posterior, 1);
  const auto size = static_cast<std::size_t>(posterior.dimension());
  std::vector<double> reference(size);
  const SmoothFunction depth = [&](std::span<const double> u, std::span<double> gradient) {
    ++fit.evaluations;
    LogDensity parts;
    double height = 0;
    if (options.method == HyperMethod::mle) {
      parts = posterior.evaluate(u, reference, gradient);
      height = parts.likelihood;
    } else {
      height = density.at(u, parts, gradient);
    }
    for (double& slope : gradient) slope = -slope;
    return -height;
  };
  fit.log_density = -std::numeric_limits<double>::infinity();
  for (Index start = 0; start < options.starts; ++start) {
    std::vector<double> u(size);
    RandomStream stream(seed, "gp-mode", {start});
    if (start > 0) posterior.sample_reference(stream, u);
    LbfgsResult found = minimize_lbfgs(depth, std::move(u), {.evaluations = kEvaluations, .promised = kPromised});
    if (start > 0 && !(-found.value > fit.log_density)) continue;
    fit.log_density = -found.value;
    fit.mode = std::move(found.x);
  }
}

void draw_chain(HyperPosterior& posterior, const HyperFitOptions& options, std::uint64_t seed, Index chain, Index draws,
                HyperFit& fit) {
  RandomStream stream(seed, "gp-draws", {chain});
  PathDensity density(posterior, 1);
  NutsExplorer explorer(NutsOptions{.max_depth = kDepth});
  SamplePoint point{fit.mode, {}};
  const double at_mode = density.at(point.u, point.density);
  if (std::isfinite(at_mode)) {
    SamplePoint start = point;
    for (double& value : start.u) value += kAroundMode * stream.normal();
    if (std::isfinite(density.at(start.u, start.density))) point = std::move(start);
  }
  ChainTuning tuning;
  tuning.means = fit.mode;
  tuning.scales.assign(fit.mode.size(), 1.0);
  tuning.step_sizes = explorer.first_step_sizes(density, tuning, point, stream);
  for (Index round = 0; round < kAdaptations; ++round) {
    ChainReport report;
    for (Index k = 0; k < options.warm_up / kAdaptations; ++k)
      report.add(explorer.step(density, tuning, point, stream));
    tuning.step_sizes = explorer.next_step_sizes(tuning, tuning, report);
  }
  for (Index draw = 0; draw < draws; ++draw) {
    for (Index k = 0; k < options.thin; ++k) explorer.step(density, tuning, point, stream);
    fit.draws.push_back(point.u);
  }
  fit.evaluations += density.evaluations();
}

}  // namespace

HyperFit fit_hyperparameters(HyperPosterior& posterior, const HyperFitOptions& options, std::uint64_t seed) {
  TEMPERA_EXPECTS(options.draws >= 1 && options.chains >= 1 && options.starts >= 1);
  HyperFit fit;
  find_mode(posterior, options, seed, fit);
  if (options.method != HyperMethod::bayes) {
    fit.draws = {fit.mode};
    return fit;
  }
  for (Index chain = 0; chain < options.chains; ++chain) {
    const Index share = (chain + 1) * options.draws / options.chains - chain * options.draws / options.chains;
    draw_chain(posterior, options, seed, chain, share, fit);
  }
  return fit;
}

}  // namespace tempera
