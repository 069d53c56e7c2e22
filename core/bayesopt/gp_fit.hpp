#pragma once

#include <optional>
#include <string>

#include "core/bayesopt/output_warp.hpp"
#include "core/bayesopt/space.hpp"
#include "core/gaussian_process/hyper_posterior.hpp"

namespace tempera {

/// How a model of values over a space is made.
struct GpFitOptions {
  KernelShape kernel = KernelShape::matern52;
  GpPriors priors;
  HyperFitOptions hyperparameters;
  bool warp = true;  ///< logarithms are considered
};

/// A model with its hyperparameters, without the data.
struct FittedGp {
  OutputWarp warp;
  std::vector<GpModel> draws;
  Index evaluations = 0;
};

/// An amplitude and a length scale a parameter of the space (automatic relevance determination).
KernelPointer kernel_of(const Space& space, KernelShape shape);

/// Chooses the warp by the posterior density at the mode of the hyperparameters, as a density of the values themselves
/// (linear is e³ times as probable beforehand); then fits. Depends on the arguments alone.
/// @param points  features of a trial a row  @pre at least one, finite values
FittedGp fit_gp(const Space& space, const Eigen::MatrixXd& points, std::span<const double> values,
                const GpFitOptions& options, std::uint64_t seed);

}  // namespace tempera
