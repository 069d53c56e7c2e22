#include "core/bayesopt/gp_fit.hpp"

#include <array>
#include <limits>
#include <utility>

namespace tempera {

namespace {

/// Of the distance from the least value to the median, for the logarithm's floor; 0: no logarithm.
constexpr std::array kShares{0.0, 0.3, 0.03};
constexpr double kLinearBonus = 3;  // in log probability: without evidence values stay what they are
constexpr Index kLeastToChoose = 4;
constexpr Index kStarts = 2;

OutputWarp warp_of(std::span<const double> values, double share) {
  return share > 0 && OutputWarp::has_spread(values) ? OutputWarp(values, share) : OutputWarp(values);
}

struct Choice {
  std::size_t kernel = 0;
  double share = 0;
};

std::vector<Choice> choices(std::size_t kernels, bool warp, std::span<const double> values) {
  std::vector<Choice> result;
  for (std::size_t kernel = 0; kernel < kernels; ++kernel)
    for (const double share : kShares)
      if (share == 0 || (warp && OutputWarp::has_spread(values))) result.push_back({kernel, share});
  return result;
}

Choice choose(std::span<const KernelPointer> kernels, const Eigen::MatrixXd& points, std::span<const double> values,
              const GpFitOptions& options, std::uint64_t seed, ModelTeam& team, Index& evaluations) {
  const std::vector<Choice> all = choices(kernels.size(), options.warp, values);
  if (all.size() == 1 || std::ssize(values) < kLeastToChoose) return {};
  HyperFitOptions search = options.hyperparameters;
  if (search.method == HyperMethod::bayes) search.method = HyperMethod::map;
  search.starts = kStarts;
  const auto densities = team.dealer(team.maker().shares(points.rows())).deal(std::ssize(all), [&](Index k) {
    const auto [kernel, share] = all[static_cast<std::size_t>(k)];
    const OutputWarp warp = warp_of(values, share);
    const auto posterior = team.maker().posterior(kernels[kernel], options.priors, points, warp.warped(values));
    const HyperFit fit = fit_hyperparameters(*posterior, search, seed);
    const double density = fit.log_density + warp.log_jacobian(values) + (share == 0 ? kLinearBonus : 0);
    return std::vector{density, static_cast<double>(fit.evaluations)};
  });
  double highest = -std::numeric_limits<double>::infinity();
  Choice chosen;
  for (std::size_t k = 0; k < all.size(); ++k) {
    evaluations += static_cast<Index>(densities[k][1]);
    if (!(densities[k][0] > highest)) continue;
    highest = densities[k][0];
    chosen = all[k];
  }
  return chosen;
}

/// By some of the points, evenly over their order.
FittedGp fit_to_some(std::span<const KernelPointer> kernels, const Eigen::MatrixXd& points,
                     std::span<const double> values, const GpFitOptions& options, std::uint64_t seed, ModelTeam& team) {
  Eigen::MatrixXd some(kSearchedPoints, points.cols());
  std::vector<double> theirs;
  for (Index i = 0; i < kSearchedPoints; ++i) {
    const Index from = (i + 1) * points.rows() / kSearchedPoints - 1;
    some.row(i) = points.row(from);
    theirs.push_back(values[static_cast<std::size_t>(from)]);
  }
  return fit_gp(kernels, some, theirs, options, seed, team);
}

}  // namespace

KernelPointer kernel_of(const Space& space, KernelShape shape) {
  const auto groups = space.parameter_of_feature();
  std::vector<std::string> names;
  for (const Parameter& parameter : space.parameters()) names.push_back(parameter.name);
  return scaled(stationary_kernel(shape, {groups.begin(), groups.end()}, std::move(names)));
}

std::vector<KernelPointer> kernels_of(const Space& space, std::span<const KernelShape> shapes) {
  std::vector<KernelPointer> kernels;
  for (const KernelShape shape : shapes) kernels.push_back(kernel_of(space, shape));
  return kernels;
}

FittedGp fit_gp(std::span<const KernelPointer> kernels, const Eigen::MatrixXd& points, std::span<const double> values,
                const GpFitOptions& options, std::uint64_t seed, ModelTeam& team, const FittedGp* before) {
  if (!before && points.rows() > kSearchedPoints) {
    const FittedGp some = fit_to_some(kernels, points, values, options, seed, team);
    return fit_gp(kernels, points, values, options, seed, team, &some);
  }
  Index evaluations = 0;
  const auto [kernel, share] = before ? Choice{before->kernel, before->share}
                                      : choose(kernels, points, values, options, seed, team, evaluations);
  FittedGp fitted{warp_of(values, share), {}, 0, kernel, share};
  const auto posterior = team.maker().posterior(kernels[kernel], options.priors, points, fitted.warp.warped(values));
  const bool shared = team.maker().shares(points.rows());
  HyperFitOptions search = options.hyperparameters;
  const bool drawn = !shared && points.rows() < options.draws_below;
  if (!drawn && search.method == HyperMethod::bayes) search.method = HyperMethod::map;
  fitted.hyper = fit_hyperparameters(*posterior, search, seed, team.dealer(shared), before ? &before->hyper : nullptr);
  for (const auto& draw : fitted.hyper.draws) fitted.draws.push_back(posterior->model(draw));
  fitted.evaluations = evaluations + fitted.hyper.evaluations;
  return fitted;
}

FittedGp fit_gp(std::span<const KernelPointer> kernels, const Eigen::MatrixXd& points, std::span<const double> values,
                const GpFitOptions& options, std::uint64_t seed) {
  ModelTeam alone;
  return fit_gp(kernels, points, values, options, seed, alone);
}

}  // namespace tempera
