#pragma once

#include <span>
#include <vector>

#include "core/bayesopt/model_team.hpp"
#include "core/bayesopt/output_warp.hpp"
#include "core/bayesopt/space.hpp"
#include "core/gaussian_process/hyper_posterior.hpp"

namespace tempera {

/// How a model of values over a space is made. Two kernels, because both kinds of functions are common: after 40 trials
/// Branin's regret is 2e-4 with Matérn-5/2 alone and 4e-6 where the squared exponential may be taken; Ackley is rough.
struct GpFitOptions {
  std::vector<KernelShape> kernels{KernelShape::matern52, KernelShape::rbf};  ///< the likeliest is taken
  GpPriors priors;
  HyperFitOptions hyperparameters;
  bool warp = true;  ///< logarithms are considered
  Index draws_below =
      1500;  ///< points; from there draws would take hours: the most probable hyperparameters stand for them
};

/// A model with its hyperparameters, without the data.
struct FittedGp {
  OutputWarp warp;
  std::vector<GpModel> draws;
  Index evaluations = 0;
  std::size_t kernel = 0;  ///< of those there were
  double share = 0;        ///< of the logarithm's floor; 0: linear
  HyperFit hyper = {};
};

/// An amplitude and a length scale a parameter of the space (automatic relevance determination).
KernelPointer kernel_of(const Space& space, KernelShape shape);
std::vector<KernelPointer> kernels_of(const Space& space, std::span<const KernelShape> shapes);

/// Of more points the search from several starts, for every warp, sees no more than so many, evenly over their order; what it
/// finds is where a search that sees all begins.
constexpr Index kSearchedPoints = 320;

/// Chooses kernel and warp by the posterior density at the mode of the hyperparameters, as a density of the values themselves
/// (linear is e³ times as probable beforehand; of equal kernels the first is taken); then fits. Depends on the arguments alone,
/// and up to rounding not on the team; where it fits points together there are no draws either: chains would follow rounding
/// errors.
/// @param points  features of a trial a row  @pre at least one, finite values
/// @param kernels  with parameters of the same kinds  @pre one at least
/// @param before   of fewer points: its kernel and warp are taken, of these values, and the search begins at its
///                 hyperparameters
FittedGp fit_gp(std::span<const KernelPointer> kernels, const Eigen::MatrixXd& points, std::span<const double> values,
                const GpFitOptions& options, std::uint64_t seed, ModelTeam& team, const FittedGp* before = nullptr);
/// On one process.
FittedGp fit_gp(std::span<const KernelPointer> kernels, const Eigen::MatrixXd& points, std::span<const double> values,
                const GpFitOptions& options, std::uint64_t seed);

}  // namespace tempera
