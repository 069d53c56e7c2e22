#include "distributed/tempering/held_out_prediction.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "core/sampling/explorers/slice_explorer.hpp"
#include "distributed/als/cp_apr.hpp"
#include "distributed/tempering/tempering.hpp"
#include "distributed/tensor/load.hpp"
#include "tests/support/data.hpp"
#include "tests/support/distributed.hpp"
#include "tests/support/mpi.hpp"

namespace tempera {
namespace {

using test::on_all_ranks;

/// Nine cells of two kinds in a 4 × 3 × 2 tensor, values 0, 1, 2, …
HeldCells nine_cells() {
  HeldCells held;
  held.strata = {{"nonzeros", 5, 15}, {"zeros", 4, 9}};
  held.cells.indices.resize(3);
  for (Index k = 0; k < 9; ++k) {
    held.cells.indices[0].push_back(k / 3);
    held.cells.indices[1].push_back(k % 3);
    held.cells.indices[2].push_back((k * k) % 2);
    held.cells.values.push_back(static_cast<double>(k % 4));
    held.stratum.push_back(k % 2 == 0 ? 0 : 1);
  }
  return held;
}

constexpr Index kRank = 2;
constexpr Index kDraws = 13;

/// Draw `number` of θ: positive, so that it serves both likelihoods.
std::vector<double> draw_of(Index number, bool noise) {
  RandomStream stream(8, "prediction-test", {number});
  std::vector<double> theta(9 * kRank + (noise ? 1 : 0));
  for (double& entry : theta) entry = 0.2 + stream.exponential();
  return theta;
}

double model_at(const std::vector<double>& theta, const HeldCells& held, std::size_t k) {
  double m = 0;
  for (Index r = 0; r < kRank; ++r)
    m += theta[static_cast<std::size_t>(held.cells.indices[0][k] * kRank + r)] *
         theta[static_cast<std::size_t>((4 + held.cells.indices[1][k]) * kRank + r)] *
         theta[static_cast<std::size_t>((7 + held.cells.indices[2][k]) * kRank + r)];
  return m;
}

double density_at(bool gaussian, double x, double m, double sd) {
  if (gaussian) return std::exp(-0.5 * (x - m) * (x - m) / (sd * sd)) / (sd * std::sqrt(2 * std::numbers::pi));
  return std::exp(x * std::log(m) - m - std::lgamma(x + 1));
}

/// Of draws that lie in a store of two streams, the second of which counts, anywhere on the ranks.
HeldOutPrediction predicted(const Communicator& ranks, const CpModelOptions& options, bool noise, Index dealing) {
  HeldOutPrediction prediction(ranks, options, {4, 3, 2}, nine_cells());
  MemoryDraws store(static_cast<Index>(prediction.width()) + 2);  // two statistics behind θ
  store.begin_round(2, kDraws);
  for (Index draw = kDraws; draw-- > 0;)
    for (const Index stream : {0, 1}) {
      if ((dealing == 0 ? 0 : draw / dealing + stream) % ranks.size() != ranks.rank()) continue;
      std::vector<double> record(prediction.width(), std::nan(""));
      if (stream == 1) record = draw_of(draw, noise);
      record.resize(prediction.width() + 2, std::nan(""));
      store.put(stream, draw, record);
    }
  store.publish(ranks);
  const Index streams[] = {1};
  prediction.add(store, streams);
  return prediction;
}

TEST(HeldOutPrediction, IsTheMeanOverDrawsToTheSameBitsForAnyRanks) {
  on_all_ranks([](const Communicator& world) {
    const HeldCells held = nine_cells();
    for (const auto likelihood : {CpLikelihood::gaussian, CpLikelihood::poisson})
      for (const bool fixed : {false, true}) {
        CpModelOptions options;
        options.rank = kRank;
        options.likelihood = likelihood;
        const bool gaussian = likelihood == CpLikelihood::gaussian, noise = gaussian && !fixed;
        if (gaussian && fixed) options.noise_sd = 0.8;
        const Communicator self = Communicator::self();
        const HeldOutPrediction alone = predicted(self, options, noise, 0);
        const auto means = alone.means();
        const auto score = alone.score();
        double loss[2] = {0, 0}, log_score[2] = {0, 0};
        for (std::size_t k = 0; k < 9; ++k) {
          double mean = 0, density = 0;
          for (Index number = 0; number < kDraws; ++number) {
            const auto theta = draw_of(number, noise);
            mean += model_at(theta, held, k) / kDraws;
            density +=
                density_at(gaussian, held.cells.values[k], model_at(theta, held, k), fixed ? 0.8 : theta.back()) /
                kDraws;
          }
          EXPECT_NEAR(means[k], mean, 1e-13 * mean);
          const double x = held.cells.values[k];
          loss[k % 2] += gaussian ? (x - mean) * (x - mean) : 2 * ((x > 0 ? x * std::log(x / mean) : 0) - x + mean);
          log_score[k % 2] += std::log(density);
        }
        for (std::size_t s = 0; s < 2; ++s) {
          const double count = s == 0 ? 5 : 4;
          EXPECT_NEAR(score->loss.strata[s].mean, loss[s] / count, 1e-12 * loss[s]);
          EXPECT_NEAR(score->log_score.strata[s].mean, log_score[s] / count, 1e-12 * std::abs(log_score[s]));
        }
        EXPECT_NEAR(score->loss.mean, (15 * loss[0] / 5 + 9 * loss[1] / 4) / 24, 1e-12 * score->loss.mean);
        for (const Index dealing : {0, 1, 4}) {
          const HeldOutPrediction together = predicted(world, options, noise, dealing);
          EXPECT_EQ(together.draws(), kDraws);
          EXPECT_EQ(together.means(), means);
          EXPECT_EQ(together.score()->log_score.mean, score->log_score.mean);
          EXPECT_EQ(together.score()->loss.standard_error, score->loss.standard_error);
        }
      }
  });
}

TEST(HeldOutPrediction, NothingIsSaidWithoutCellsOrDraws) {
  on_all_ranks([](const Communicator& world) {
    CpModelOptions options;
    options.rank = kRank;
    options.noise_sd = 1;
    EXPECT_FALSE(HeldOutPrediction(world, options, {4, 3, 2}, nine_cells()).score());
    HeldCells none;
    none.cells.indices.resize(3);
    HeldOutPrediction empty(world, options, {4, 3, 2}, none);
    empty.add(draw_of(0, false));
    EXPECT_FALSE(empty.score());
  });
}

/// Held-out deviance a cell by the posterior mean, and by the maximum-likelihood fit.
std::pair<double, double> deviances(const Communicator& ranks, const std::string& path, Index rank,
                                    std::uint64_t seed) {
  LoadOptions load;
  load.distribution.holdout = {0.2, seed};
  const auto tensor = load_tensor(ranks, path, load);
  CpOptions fit;
  fit.rank = rank;
  fit.restarts = 5;
  fit.iterations = 2000;
  fit.tolerance = 1e-10;
  CpModelOptions options;
  options.rank = rank;
  options.likelihood = CpLikelihood::poisson;
  CpPosterior posterior = cp_posterior(*tensor, options);
  TemperingOptions tempering;
  tempering.chains = 8;
  tempering.rounds = 8;
  tempering.seed = seed;
  const auto result = sample_by_tempering(ranks, *posterior.target, SliceExplorer(), tempering);
  HeldOutPrediction prediction(ranks, posterior.options, tensor->shape(), posterior.held);
  prediction.add(*result.draws, target_streams(tempering, result.rounds.back().sizes));
  return {prediction.score()->loss.mean, cp_apr(*tensor, fit).holdout->mean};
}

TEST(HeldOutPrediction, OfARealTableIsAtLeastAsGoodAsThatOfThePointFit) {
  TEMPERA_REQUIRE_DATA(path, "contingency-tables/HairEyeColor.npy");
  on_all_ranks([&](const Communicator& world) {
    if (world.size() > 1) return;  // draws and predictions are the same there, as other tests show
    double mean = 0, point = 0;
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
      const auto [of_mean, of_point] = deviances(world, path.string(), 2, seed);
      mean += of_mean;
      point += of_point;
    }
    EXPECT_LT(mean, point);
  });
}

}  // namespace
}  // namespace tempera
