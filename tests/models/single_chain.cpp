#include "tests/models/single_chain.hpp"

#include <Eigen/Dense>

#include "core/sampling/model.hpp"
#include "tests/models/models.hpp"
#include "tests/models/reference.hpp"

namespace tempera::test {

namespace {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// The reference draws on unconstrained space, one a row.
Matrix unconstrained(std::string_view posterior, const std::filesystem::path& folder, const Target& target) {
  const auto draws = read_reference_draws(posterior, folder);
  Matrix points(static_cast<Eigen::Index>(draws.size()), target.dimension());
  for (Eigen::Index i = 0; i < points.rows(); ++i)
    target.unconstrain(from_reference_parameters(posterior, draws[static_cast<std::size_t>(i)]),
                       {points.row(i).data(), static_cast<std::size_t>(points.cols())});
  return points;
}

ChainTuning tuning_of(const Matrix& points) {
  const Eigen::RowVectorXd mean = points.colwise().mean();
  const Matrix centred = points.rowwise() - mean;
  const Eigen::MatrixXd covariance = centred.transpose() * centred / static_cast<double>(points.rows() - 1);
  const Eigen::VectorXd scale = covariance.diagonal().cwiseSqrt();
  const Matrix factor = covariance.llt().matrixL();
  return {{mean.data(), mean.data() + mean.size()},
          {scale.data(), scale.data() + scale.size()},
          {factor.data(), factor.data() + factor.size()},
          {}};
}

}  // namespace

SingleChains run_single_chains(std::string_view posterior, const std::filesystem::path& folder,
                               const Explorer& explorer, int chains, int draws, std::uint64_t seed) {
  constexpr int kRounds = 8, kSteps = 100;
  TransformedTarget target(make_posteriordb_model(posterior, folder));
  const Matrix points = unconstrained(posterior, folder, target);
  const std::size_t parameters = read_reference(posterior, folder).size();
  std::vector<double> theta(static_cast<std::size_t>(target.constrained_size()));
  PathDensity density(target, 1);
  const auto kernel = explorer.clone();
  SingleChains result;
  for (int chain = 0; chain < chains; ++chain) {
    RandomStream stream(seed, "test-single-chain", {chain});
    ChainTuning tuning = tuning_of(points);
    const auto start = points.row(chain * points.rows() / chains);
    SamplePoint point{{start.data(), start.data() + start.size()}, {}};
    density.at(point.u, point.density);
    tuning.step_sizes = kernel->first_step_sizes(density, tuning, point, stream);
    for (int round = 0; round < kRounds; ++round) {
      ChainReport report;
      for (int k = 0; k < kSteps; ++k) report.add(kernel->step(density, tuning, point, stream));
      tuning.step_sizes = kernel->next_step_sizes(tuning, tuning, report);
    }
    std::vector<double>& values = result.chains.emplace_back(parameters * static_cast<std::size_t>(draws));
    for (std::size_t draw = 0; draw < static_cast<std::size_t>(draws); ++draw) {
      kernel->step(density, tuning, point, stream);
      target.constrain(point.u, theta);
      to_reference_parameters(posterior, theta, std::span(values).subspan(draw * parameters, parameters));
    }
  }
  result.evaluations = density.evaluations();
  return result;
}

}  // namespace tempera::test
