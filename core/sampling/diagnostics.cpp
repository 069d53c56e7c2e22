#include "core/sampling/diagnostics.hpp"

#include <algorithm>
#include <boost/math/distributions/beta.hpp>
#include <cmath>
#include <limits>
#include <map>
#include <vector>

#include "core/base/contract.hpp"
#include "core/sampling/detail/draw_analysis.hpp"

namespace tempera {

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kLowerTail = 0.05;
constexpr double kUpperTail = 0.95;
constexpr double kMinusOneSigma = 0.1586553;  // Φ(∓1), in the digits that posterior uses
constexpr double kPlusOneSigma = 0.8413447;

/// One diagnostic of draws that admit any; NaN otherwise.
template <class Diagnostic>
double diagnose(ChainDraws chains, Diagnostic diagnostic) {
  detail::DrawAnalysis analysis;
  analysis.load(chains);
  return analysis.usable() ? diagnostic(analysis) : kNaN;
}

/// std::max and std::min lose a NaN on one side.
double larger(double a, double b) {
  return std::isnan(a) || std::isnan(b) ? kNaN : std::max(a, b);
}
double smaller(double a, double b) {
  return std::isnan(a) || std::isnan(b) ? kNaN : std::min(a, b);
}

double folded_rhat(detail::DrawAnalysis& draws) {
  return detail::basic_rhat(draws.centred_folded_scores());
}

double quantile_ess(detail::DrawAnalysis& draws, double p) {
  // x ≤ maximum holds for all: step half a draw back, as posterior does.
  const double size = static_cast<double>(draws.size());
  const double probability = p == 1 ? (size - 0.5) / size : p;
  return draws.effective_size(draws.centred_indicators(draws.quantile(probability)));
}

double tail_ess(detail::DrawAnalysis& draws) {
  return smaller(quantile_ess(draws, kLowerTail), quantile_ess(draws, kUpperTail));
}

double mean_mcse(detail::DrawAnalysis& draws) {
  return draws.sd() / std::sqrt(draws.effective_size(draws.centred_draws()));
}

/// Variance of the variance over ESS, carried over to the standard deviation to first order.
double sd_mcse(detail::DrawAnalysis& draws) {
  const double size = static_cast<double>(draws.size());
  const double variance = (size - 1) / size;  // in units of sd², whose divisor is S − 1
  const double ess = draws.effective_size(draws.centred_squares());
  return draws.sd() * std::sqrt(draws.variance_of_squares() / ess / variance / 4);
}

double quantile_mcse(detail::DrawAnalysis& draws, double p) {
  const double ess = quantile_ess(draws, p);
  if (std::isnan(ess)) return kNaN;
  const boost::math::beta_distribution<double> position(ess * p + 1, ess * (1 - p) + 1);
  const double size = static_cast<double>(draws.size());
  const double lower = std::max(std::floor(boost::math::quantile(position, kMinusOneSigma) * size), 1.0);
  const double upper = std::min(std::ceil(boost::math::quantile(position, kPlusOneSigma) * size), size);
  return (draws.order_statistic(static_cast<std::size_t>(upper) - 1) -
          draws.order_statistic(static_cast<std::size_t>(lower) - 1)) /
         2;
}

/// Places of the chains of each superchain; empty unless all have equally many.
std::vector<std::vector<std::size_t>> superchains_of_equal_size(std::span<const int> superchain) {
  std::map<int, std::vector<std::size_t>> groups;
  for (std::size_t chain = 0; chain < superchain.size(); ++chain) groups[superchain[chain]].push_back(chain);
  std::vector<std::vector<std::size_t>> members;
  for (auto& [name, group] : groups) {
    if (!members.empty() && group.size() != members.front().size()) return {};
    members.push_back(std::move(group));
  }
  return members;
}

}  // namespace

double rhat_bulk(ChainDraws chains) {
  return diagnose(chains, [](detail::DrawAnalysis& draws) { return detail::basic_rhat(draws.centred_scores()); });
}

double rhat_folded(ChainDraws chains) {
  return diagnose(chains, folded_rhat);
}

double rhat(ChainDraws chains) {
  return diagnose(chains, [](detail::DrawAnalysis& draws) {
    const double bulk = detail::basic_rhat(draws.centred_scores());
    return larger(bulk, folded_rhat(draws));
  });
}

double ess_bulk(ChainDraws chains) {
  return diagnose(chains, [](detail::DrawAnalysis& draws) { return draws.effective_size(draws.centred_scores()); });
}

double ess_tail(ChainDraws chains) {
  return diagnose(chains, tail_ess);
}

double ess_mean(ChainDraws chains) {
  return diagnose(chains, [](detail::DrawAnalysis& draws) { return draws.effective_size(draws.centred_draws()); });
}

double ess_sd(ChainDraws chains) {
  return diagnose(chains, [](detail::DrawAnalysis& draws) { return draws.effective_size(draws.centred_squares()); });
}

double ess_quantile(ChainDraws chains, double p) {
  TEMPERA_EXPECTS(p >= 0 && p <= 1);
  return diagnose(chains, [p](detail::DrawAnalysis& draws) { return quantile_ess(draws, p); });
}

double ess_median(ChainDraws chains) {
  return ess_quantile(chains, 0.5);
}

double mcse_mean(ChainDraws chains) {
  return diagnose(chains, mean_mcse);
}

double mcse_sd(ChainDraws chains) {
  return diagnose(chains, sd_mcse);
}

double mcse_quantile(ChainDraws chains, double p) {
  TEMPERA_EXPECTS(p >= 0 && p <= 1);
  return diagnose(chains, [p](detail::DrawAnalysis& draws) { return quantile_mcse(draws, p); });
}

double mcse_median(ChainDraws chains) {
  return mcse_quantile(chains, 0.5);
}

double quantile(ChainDraws chains, double p) {
  detail::DrawAnalysis analysis;
  analysis.load(chains);
  return analysis.quantile(p);
}

double rhat_nested(ChainDraws chains, std::span<const int> superchain) {
  TEMPERA_EXPECTS(superchain.size() == chains.size());
  return diagnose(chains, [&](const detail::DrawAnalysis& draws) {
    const std::vector<std::vector<std::size_t>> groups = superchains_of_equal_size(superchain);
    if (groups.size() < 2) return kNaN;
    detail::CentredChains whole{chains.size(), chains[0].size(), {}, {}, true};
    for (const std::span<const double> chain : chains)
      for (const double draw : chain) whole.values.push_back(draw - draws.mean());
    detail::centre(whole);
    return detail::nested_rhat(whole, groups);
  });
}

SummaryWorkspace::SummaryWorkspace() : analysis_(std::make_unique<detail::DrawAnalysis>()) {}
SummaryWorkspace::~SummaryWorkspace() = default;
SummaryWorkspace::SummaryWorkspace(SummaryWorkspace&&) noexcept = default;
SummaryWorkspace& SummaryWorkspace::operator=(SummaryWorkspace&&) noexcept = default;

ParameterSummary summarise(ChainDraws chains, SummaryWorkspace& workspace) {
  detail::DrawAnalysis& draws = workspace.analysis();
  draws.load(chains);
  ParameterSummary summary{draws.mean(),
                           draws.sd(),
                           draws.quantile(kLowerTail),
                           draws.quantile(0.5),
                           draws.quantile(kUpperTail),
                           kNaN,
                           kNaN,
                           kNaN,
                           kNaN,
                           kNaN};
  if (!draws.usable()) return summary;
  const detail::CentredChains& scores = draws.centred_scores();
  const double bulk = detail::basic_rhat(scores);
  summary.ess_bulk = draws.effective_size(scores);
  summary.rhat = larger(bulk, folded_rhat(draws));
  summary.ess_tail = tail_ess(draws);
  summary.mcse_mean = mean_mcse(draws);
  summary.mcse_sd = sd_mcse(draws);
  return summary;
}

ParameterSummary summarise(ChainDraws chains) {
  SummaryWorkspace workspace;
  return summarise(chains, workspace);
}

}  // namespace tempera
