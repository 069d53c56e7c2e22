#include "core/bayesopt/transfer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "core/base/random_stream.hpp"

namespace tempera {

namespace {

constexpr Index kMostToFit = 300, kMostToKnow = 2000;
/// Of a source's standard deviations: with it the prior of length scales in the unit cube says that values follow the
/// source nearly linearly over some standard deviations.
constexpr double kScale = 0.25;

struct Data {
  Eigen::MatrixXd points;
  std::vector<double> values;
};

/// The trials that succeeded, at most `most`: half of them the best, the others evenly spread over the order of the rest.
std::vector<const Trial*> selected(const SourceTrials& source, Index most) {
  std::vector<const Trial*> trials;
  for (const Trial& trial : source.trials)
    if (trial.result.status == TrialStatus::ok) trials.push_back(&trial);
  const Index count = std::ssize(trials);
  if (count <= most) return trials;
  std::stable_sort(trials.begin(), trials.end(),
                   [](const Trial* a, const Trial* b) { return a->result.value < b->result.value; });
  const Index best = most / 2, rest = most - best;
  std::vector<const Trial*> chosen(trials.begin(), trials.begin() + best);
  for (Index k = 0; k < rest; ++k) chosen.push_back(trials[static_cast<std::size_t>(best + k * (count - best) / rest)]);
  return chosen;
}

Data data_of(const Space& space, const std::vector<const Trial*>& trials) {
  Data data{Eigen::MatrixXd(space.features(), std::ssize(trials)), {}};
  for (std::size_t k = 0; k < trials.size(); ++k) {
    space.encode(trials[k]->point,
                 {data.points.col(static_cast<Eigen::Index>(k)).data(), static_cast<std::size_t>(space.features())});
    data.values.push_back(trials[k]->result.value);
  }
  data.points.transposeInPlace();
  return data;
}

/// Of the parameters that are not the same in all points.
KernelPointer kernel_of_varied(const Space& space, const Eigen::MatrixXd& points, KernelShape shape) {
  std::vector<Index> groups(static_cast<std::size_t>(space.features()), -1);
  std::vector<std::string> names;
  for (Index i = 0; i < space.size(); ++i) {
    bool varied = false;
    const auto owners = space.parameter_of_feature();
    for (Index f = 0; f < space.features(); ++f)
      if (owners[static_cast<std::size_t>(f)] == i) varied |= (points.col(f).array() != points(0, f)).any();
    if (!varied) continue;
    for (Index f = 0; f < space.features(); ++f)
      if (owners[static_cast<std::size_t>(f)] == i) groups[static_cast<std::size_t>(f)] = std::ssize(names);
    names.push_back(space.parameters()[static_cast<std::size_t>(i)].name);
  }
  return scaled(stationary_kernel(shape, std::move(groups), std::move(names)));
}

KernelPointer transfer_kernel(const Space& space, KernelShape shape, Index sources) {
  const auto owners = space.parameter_of_feature();
  std::vector<Index> groups(owners.begin(), owners.end());
  groups.resize(groups.size() + static_cast<std::size_t>(sources), -1);
  std::vector<std::string> names;
  for (const Parameter& parameter : space.parameters()) names.push_back(parameter.name);
  std::vector<KernelPointer> parts{scaled(stationary_kernel(shape, groups, std::move(names)))};
  for (Index s = 0; s < sources; ++s) {
    std::vector<Index> own(groups.size(), -1);
    own[static_cast<std::size_t>(space.features() + s)] = 0;
    parts.push_back(scaled(stationary_kernel(shape, std::move(own), {fmt::format("source {}", s)})));
  }
  return sum_of(std::move(parts));
}

}  // namespace

Transfer::Transfer(const Space& space, std::span<const SourceTrials> sources, GpFitOptions options, std::uint64_t seed)
    : kernel_(transfer_kernel(space, options.kernels.front(), std::ssize(sources))) {
  if (options.hyperparameters.method == HyperMethod::bayes) options.hyperparameters.method = HyperMethod::map;
  for (const SourceTrials& source : sources) {
    const Data few = data_of(space, selected(source, kMostToFit)), all = data_of(space, selected(source, kMostToKnow));
    const std::uint64_t own = RandomStream(seed, "gp-fit-source", {std::ssize(sources_)}).next_u64();
    const FittedGp fitted = fit_gp(std::vector{kernel_of_varied(space, all.points, options.kernels.front())},
                                   few.points, few.values, options, own);
    const ExactGp process(fitted.draws.front(), all.points, fitted.warp.warped(all.values));
    sources_.push_back({process.model(), all.points, process.solve(process.values())});
  }
}

Eigen::MatrixXd Transfer::widened(const Eigen::MatrixXd& rows) const {
  Eigen::MatrixXd wide(rows.rows(), rows.cols() + sources());
  wide.leftCols(rows.cols()) = rows;
  for (Index s = 0; s < sources(); ++s) {
    const Source& source = sources_[static_cast<std::size_t>(s)];
    Eigen::MatrixXd cross(source.points.rows(), rows.rows());
    source.model.kernel->evaluate(source.model.theta, source.points, rows, cross);
    wide.col(rows.cols() + s) =
        kScale * ((cross.transpose() * source.weights).array() + source.model.constant * source.weights.sum());
  }
  return wide;
}

Eigen::MatrixXd Transfer::widened(const Eigen::MatrixXd& rows, std::vector<Eigen::MatrixXd>& slopes) const {
  slopes.assign(static_cast<std::size_t>(rows.rows()), Eigen::MatrixXd::Zero(rows.cols(), sources()));
  for (Index s = 0; s < sources(); ++s) {
    const Source& source = sources_[static_cast<std::size_t>(s)];
    for (Eigen::Index i = 0; i < rows.rows(); ++i)
      source.model.kernel->add_input_gradient(source.model.theta, rows.row(i), source.points, kScale * source.weights,
                                              slopes[static_cast<std::size_t>(i)].col(s));
  }
  return widened(rows);
}

}  // namespace tempera
