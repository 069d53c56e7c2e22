#pragma once

#include <memory>
#include <span>

namespace tempera {

namespace detail {
class DrawAnalysis;
}

/// The draws of one scalar quantity: one span a chain, in the order in which they were drawn, all of one length.
using ChainDraws = std::span<const std::span<const double>>;

// The diagnostics of Vehtari, Gelman, Simpson, Carpenter & Bürkner 2021 (Bayesian Analysis 16, 667–718), number for
// number those of R's package posterior 1.7, short and antithetic chains included. Below, n is the number of draws a
// chain and S that of all draws. Chains are split into halves first; of an odd number of draws the middle one is left
// out of whatever works on halves, but not of means, standard deviations, quantiles and medians.
//
// NaN says "cannot be told" and comes from a NaN or infinite draw, from draws (or, for a quantile's ESS, indicators)
// that are all equal, and from too few draws: n < 4 for a split R-hat and n < 6 for an ESS or MCSE.
//
// Where posterior differs, on purpose: it ranks infinite draws like others; it calls draws constant whose range is below
// 2.2e-16 in whatever unit (here: a range within the rounding of the draws themselves); it mixes up draws and chains for
// n = 2 and 3; and where no chain varies its R-hat is 1e15 or so (here: infinite).
//
// All: @throws Error{Category::shape} for chains of different lengths, naming the chain. Cost O(S log S), one sort and
// per ESS either a few sums of lagged products or, where chains mix slowly, one fast Fourier transform a half.

/// Rank-normalised split R-hat: the larger of rhat_bulk and rhat_folded; below 1.01 in chains that agree. Infinite where
/// no half varies but halves differ.
double rhat(ChainDraws chains);

/// Split R-hat of z = Φ⁻¹((rank − 3/8)/(S + 1/4)), equal draws sharing their mean rank: do the locations agree?
double rhat_bulk(ChainDraws chains);

/// The same of |x − median|: do the spreads agree?
double rhat_folded(ChainDraws chains);

/// Nested R-hat of superchains, groups of equally many chains started at one point (Margossian, Hoffman, Sountsov,
/// Riou-Durand, Vehtari & Gelman 2024, eq. 8): √(1 + B/W), B the variance of the superchains' means and W the mean over
/// superchains of the variance between and within their chains; never below 1. Neither split nor rank-normalised.
/// @param superchain  for each chain the number of its group, any numbers
/// @return NaN also for one superchain and for superchains of different sizes
/// @pre superchain.size() == chains.size()
double rhat_nested(ChainDraws chains, std::span<const int> superchain);

/// Effective number of draws for the centre of the distribution: that of the mean of the rank-normalised draws.
/// Autocorrelations are summed over Geyer's initial monotone sequence; at most S·log10(S).
double ess_bulk(ChainDraws chains);

/// The smaller of the effective numbers of draws for the 5 % and the 95 % quantile.
double ess_tail(ChainDraws chains);

/// Effective number of draws for the mean.
double ess_mean(ChainDraws chains);

/// Effective number of draws for the standard deviation: that of the mean of (x − mean)².
double ess_sd(ChainDraws chains);

/// Effective number of draws for a quantile: that of the mean of the indicator x ≤ quantile(p).
/// @pre 0 ≤ p ≤ 1
double ess_quantile(ChainDraws chains, double p);

/// ess_quantile at ½.
double ess_median(ChainDraws chains);

/// Monte Carlo standard error of the mean, sd/√ess_mean, in the unit of the draws (as all below).
double mcse_mean(ChainDraws chains);

/// Monte Carlo standard error of the standard deviation, from the fourth moment and ess_sd; assumes no normality
/// (Kenney & Keeping 1951, p. 141).
double mcse_sd(ChainDraws chains);

/// Monte Carlo standard error of a quantile: half the distance of the order statistics at the 16 % and 84 % quantiles of
/// Beta(ESS·p + 1, ESS·(1 − p) + 1).
/// @pre 0 ≤ p ≤ 1
double mcse_quantile(ChainDraws chains, double p);

/// mcse_quantile at ½.
double mcse_median(ChainDraws chains);

/// Quantile of all draws by linear interpolation between order statistics (type 7 of Hyndman & Fan 1996). NaN where a
/// draw is NaN or there is none; infinite draws are numbers here.
/// @pre 0 ≤ p ≤ 1
double quantile(ChainDraws chains, double p);

/// What a run reports of one scalar quantity, under the names of summary.json. The first five are numbers wherever the
/// draws are finite, constant ones included.
struct ParameterSummary {
  double mean;
  double sd;  ///< with divisor S − 1
  double q05;
  double q50;
  double q95;
  double rhat;
  double ess_bulk;
  double ess_tail;
  double mcse_mean;
  double mcse_sd;
};

/// Working memory and tables for summaries of several parameters with equally many draws: all but the first are computed
/// almost without allocating. About 60 bytes a draw. For one thread at a time.
class SummaryWorkspace {
 public:
  SummaryWorkspace();
  ~SummaryWorkspace();
  SummaryWorkspace(SummaryWorkspace&&) noexcept;
  SummaryWorkspace& operator=(SummaryWorkspace&&) noexcept;
  detail::DrawAnalysis& analysis() { return *analysis_; }

 private:
  std::unique_ptr<detail::DrawAnalysis> analysis_;
};

/// All of ParameterSummary with one sort of the draws: bit by bit what the functions above give.
ParameterSummary summarise(ChainDraws chains, SummaryWorkspace& workspace);

/// The same with working memory of its own.
ParameterSummary summarise(ChainDraws chains);

}  // namespace tempera
