#pragma once

#include <complex>
#include <cstddef>
#include <unsupported/Eigen/FFT>
#include <vector>

#include "core/sampling/detail/centred_chains.hpp"

namespace tempera::detail {

/// Autocovariances of centred chains, averaged over the chains, at the lags asked for: the first by sums of products,
/// since chains that mix well need no more; then all the others at once by a fast Fourier transform.
class MeanAutocovariance {
 public:
  /// Two neighbouring lags 2k and 2k + 1.
  struct Pair {
    double even;
    double odd;
  };

  /// Turns to other chains, which must outlive the calls of `pair`.
  void attach(const CentredChains& chains);

  /// Σ_i x_i x_{i+lag} / length at lag = `even` and `even` + 1 (Geyer's "biased" divisor).
  /// @pre even + 1 < length
  Pair pair(std::size_t even);

 private:
  double lagged_products(std::size_t lag) const;
  void transform_all();

  const CentredChains* chains_ = nullptr;
  bool transformed_ = false;
  Eigen::FFT<double> transform_{
      Eigen::FFT<double>::impl_type(),
      Eigen::FFT<double>::Flag(Eigen::FFT<double>::HalfSpectrum | Eigen::FFT<double>::Unscaled)};
  std::vector<double> padded_;  ///< a chain and zeros; in the end the sums of all lags
  std::vector<std::complex<double>> spectrum_;
  std::vector<std::complex<double>> power_;
};

/// Effective sample size of the mean of all numbers (Vehtari et al. 2021, §3.2): S/τ with
/// τ = −1 + 2 Σ_k (ρ_2k + ρ_2k+1) over Geyer's initial positive, monotone sequence, and τ ≥ 1/log10(S).
/// NaN for chains shorter than three or constant.
double effective_sample_size(const CentredChains& chains, MeanAutocovariance& autocovariance);

}  // namespace tempera::detail
