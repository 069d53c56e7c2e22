#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "core/sampling/diagnostics.hpp"
#include "core/sampling/explorers/explorers.hpp"
#include "core/sampling/targets/mixture.hpp"
#include "distributed/tempering/draw_summary.hpp"
#include "distributed/tempering/tempering.hpp"
#include "tests/support/mpi.hpp"

// Twenty narrow modes in a cube: some seconds, so long (label long, on one rank: more give the same bits).

namespace tempera {
namespace {

constexpr std::size_t kModes = 20;

MixtureTarget twenty_modes(std::int64_t dim) {
  MixtureTarget::Options options;
  options.dim = dim;
  options.modes = kModes;
  return MixtureTarget(options);
}

std::size_t nearest_mode(const MixtureTarget& target, std::span<const double> x) {
  std::size_t best = 0;
  double least = INFINITY;
  for (std::size_t m = 0; m < kModes; ++m) {
    double distance = 0;
    for (std::size_t i = 0; i < x.size(); ++i)
      distance += std::pow(x[i] - target.centre(static_cast<Index>(m), static_cast<Index>(i)), 2);
    if (distance < least) least = distance, best = m;
  }
  return best;
}

struct Weights {
  std::array<double, kModes> weight{}, error{};
  /// Of a weight, if all are the same. A mode that was visited a few times knows its own error badly; the number of
  /// independent draws behind all weights together is known well.
  double error_of_equal_weights() const {
    double variances = 0, squares = 0;
    for (std::size_t m = 0; m < kModes; ++m) {
      variances += weight[m] * (1 - weight[m]);
      squares += error[m] * error[m];
    }
    const double draws = variances / squares, p = 1.0 / kModes;
    return std::sqrt(p * (1 - p) / draws);
  }
  std::size_t visited() const {
    return kModes - static_cast<std::size_t>(std::count(weight.begin(), weight.end(), 0.0));
  }
};

/// Which mode each draw of all streams is in.
std::vector<std::size_t> modes_of(const Communicator& ranks, const MixtureTarget& target, const DrawStore& draws) {
  const auto dim = static_cast<std::size_t>(target.dimension());
  const std::vector<double> columns = draws.columns(ranks, 0, target.dimension());
  const std::size_t count = columns.size() / dim;
  std::vector<std::size_t> modes;
  std::vector<double> x(dim);
  for (std::size_t t = 0; t < count; ++t) {
    for (std::size_t i = 0; i < dim; ++i) x[i] = columns[i * count + t];
    modes.push_back(nearest_mode(target, x));
  }
  return modes;
}

/// The draws of all temperatures, weighted.
Weights weights_of(const Communicator& ranks, const MixtureTarget& target, const TemperingOptions& options,
                   const TemperingResult& result) {
  const std::vector<std::size_t> modes = modes_of(ranks, target, *result.draws);
  const auto draw_weights = weights_of_draws(ranks, options, result.rounds.back().schedule, *result.draws).front();
  Weights weights;
  for (std::size_t m = 0; m < kModes; ++m) {
    std::vector<double> inside(modes.size());
    for (std::size_t t = 0; t < modes.size(); ++t) inside[t] = modes[t] == m ? 1 : 0;
    const WeightedSummary summary = weighted_summary(inside, draw_weights, result.draws->draws());
    weights.weight[m] = summary.mean;
    weights.error[m] = summary.mcse_mean;
  }
  return weights;
}

TEST(TwentyModes, DISABLED_AreAllFoundWithTheirWeightsInAMillionEvaluations) {
  const Communicator world(MPI_COMM_WORLD);
  for (const std::int64_t dim : {2, 10}) {
    const MixtureTarget target = twenty_modes(dim);
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
      TemperingOptions options;
      options.chains = 0;
      options.rounds = 12;
      options.seed = seed;
      options.keep_all = true;
      const auto explorer = make_explorer(dim == 2 ? "slice" : "nuts:max-depth=2");
      const TemperingResult result = sample_by_tempering(world, target, *explorer, options);
      Index evaluations = 0;
      for (const TemperingRound& round : result.rounds) evaluations += round.evaluations;
      const Weights weights = weights_of(world, target, options, result);
      double worst = 0;
      for (std::size_t m = 0; m < kModes; ++m)
        worst = std::max(worst, std::abs(weights.weight[m] - 1.0 / kModes) / weights.error_of_equal_weights());
      std::printf("%2d dimensions, seed %d: %zu modes, weights within %.2f standard errors, %ld evaluations\n",
                  static_cast<int>(dim), static_cast<int>(seed), weights.visited(), worst,
                  static_cast<long>(evaluations));
      EXPECT_EQ(weights.visited(), kModes);
      EXPECT_LT(worst, 4);
      EXPECT_LE(evaluations, 1'000'000);
    }
  }
}

TEST(TwentyModes, NutsAloneFindsOneAndDoesNotNotice) {
  const Communicator world(MPI_COMM_WORLD);
  const MixtureTarget target = twenty_modes(10);
  TemperingOptions options;
  options.chains = 1;
  options.rounds = 12;
  const TemperingResult result = sample_by_tempering(world, target, *make_explorer("nuts"), options);
  const std::vector<double> columns = result.draws->columns(world, 0, target.dimension());
  double worst = 0;
  for (std::size_t i = 0; i < 10; ++i) {
    const std::size_t length = static_cast<std::size_t>(result.draws->draws());
    const std::span<const double> chain[] = {std::span(columns).subspan(i * length, length)};
    worst = std::max(worst, rhat(chain));
  }
  std::vector<std::size_t> modes = modes_of(world, target, *result.draws);
  std::sort(modes.begin(), modes.end());
  const auto visited = std::unique(modes.begin(), modes.end()) - modes.begin();
  std::printf("NUTS alone: %ld of 20 modes, R-hat %.4f\n", static_cast<long>(visited), worst);
  EXPECT_EQ(visited, 1);
  EXPECT_LT(worst, 1.01);
}

}  // namespace
}  // namespace tempera
