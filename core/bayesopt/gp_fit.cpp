#include "core/bayesopt/gp_fit.hpp"

#include <array>
#include <limits>
#include <utility>

namespace tempera {

namespace {

constexpr std::array kShares{0.3,
                             0.03};  // of the distance from the least value to the median, for the logarithm's floor
constexpr double kLinearBonus = 3;   // in log probability: without evidence values stay what they are
constexpr Index kLeastToWarp = 4;
constexpr Index kStarts = 2;

OutputWarp choose_warp(const KernelPointer& kernel, const Eigen::MatrixXd& points, std::span<const double> values,
                       const GpFitOptions& options, std::uint64_t seed, Index& evaluations) {
  std::vector<OutputWarp> warps{OutputWarp(values)};
  if (!options.warp || std::ssize(values) < kLeastToWarp || !OutputWarp::has_spread(values)) return warps.front();
  for (const double share : kShares) warps.emplace_back(values, share);
  HyperFitOptions search = options.hyperparameters;
  if (search.method == HyperMethod::bayes) search.method = HyperMethod::map;
  search.starts = kStarts;
  double highest = -std::numeric_limits<double>::infinity();
  std::size_t chosen = 0;
  for (std::size_t k = 0; k < warps.size(); ++k) {
    HyperPosterior posterior(kernel, options.priors, points, warps[k].warped(values));
    const HyperFit fit = fit_hyperparameters(posterior, search, seed);
    evaluations += fit.evaluations;
    const double density = fit.log_density + warps[k].log_jacobian(values) + (k == 0 ? kLinearBonus : 0);
    if (!(density > highest)) continue;
    highest = density;
    chosen = k;
  }
  return warps[chosen];
}

}  // namespace

KernelPointer kernel_of(const Space& space, KernelShape shape) {
  const auto groups = space.parameter_of_feature();
  std::vector<std::string> names;
  for (const Parameter& parameter : space.parameters()) names.push_back(parameter.name);
  return scaled(stationary_kernel(shape, {groups.begin(), groups.end()}, std::move(names)));
}

FittedGp fit_gp(const Space& space, const Eigen::MatrixXd& points, std::span<const double> values,
                const GpFitOptions& options, std::uint64_t seed) {
  const KernelPointer kernel = kernel_of(space, options.kernel);
  Index evaluations = 0;
  FittedGp fitted{choose_warp(kernel, points, values, options, seed, evaluations), {}, 0};
  HyperPosterior posterior(kernel, options.priors, points, fitted.warp.warped(values));
  const HyperFit fit = fit_hyperparameters(posterior, options.hyperparameters, seed);
  for (const auto& draw : fit.draws) fitted.draws.push_back(posterior.model(draw));
  fitted.evaluations = evaluations + fit.evaluations;
  return fitted;
}

}  // namespace tempera
