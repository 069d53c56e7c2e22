#include "distributed/tempering/tempering.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "core/sampling/explorers/slice_explorer.hpp"
#include "core/sampling/targets/targets.hpp"
#include "tests/support/mpi.hpp"

namespace tempera {
namespace {

using test::on_all_ranks;

/// All draws, column by column, on every rank.
std::vector<double> all_draws(const Communicator& ranks, const DrawStore& draws) {
  return draws.columns(ranks, 0, draws.width());
}

TEST(Tempering, IsTheSameToTheBitForEveryNumberOfRanks) {
  on_all_ranks([](const Communicator& world) {
    const std::string settings[] = {"dim=3", "modes=4"};
    const auto target = make_target("mixture", settings);
    TemperingOptions options;
    options.chains = 5;
    options.ladders = 2;
    options.rounds = 5;
    options.seed = 7;
    options.thin = 3;
    const Communicator self = Communicator::self();
    const TemperingResult alone = sample_by_tempering(self, *target, SliceExplorer(), options);
    const auto expected = all_draws(self, *alone.draws);
    EXPECT_EQ(alone.draws->draws(), 11);
    EXPECT_EQ(alone.draws->streams(), 2);
    for (int size = 2; size <= world.size(); ++size) {
      const Communicator part = world.split(world.rank() < size ? 0 : -1, world.rank());
      if (part.size() == 0) continue;
      const TemperingResult together = sample_by_tempering(part, *target, SliceExplorer(), options);
      EXPECT_EQ(all_draws(part, *together.draws), expected) << size;
      for (std::size_t k = 0; k < alone.rounds.size(); ++k) {
        const TemperingRound &a = alone.rounds[k], &b = together.rounds[k];
        EXPECT_EQ(a.schedule, b.schedule);
        EXPECT_EQ(a.rejections, b.rejections);
        EXPECT_EQ(a.evidence.estimate, b.evidence.estimate);
        EXPECT_EQ(a.evidence.stepping_stone, b.evidence.stepping_stone);
        EXPECT_EQ(a.barrier, b.barrier);
        EXPECT_EQ(a.round_trips, b.round_trips);
        EXPECT_EQ(a.evaluations, b.evaluations);
      }
    }
  });
}

TEST(Tempering, FindsEvidenceBarrierAndScheduleOfAGaussian) {
  on_all_ranks([](const Communicator& world) {
    const std::string settings[] = {"dim=2", "precision=100"};
    const auto target = make_target("gaussian", settings);
    TemperingOptions options;
    options.chains = 8;
    options.rounds = 11;
    const TemperingResult result = sample_by_tempering(world, *target, SliceExplorer(), options);
    const TemperingRound& last = result.rounds.back();
    EXPECT_NEAR(last.evidence.estimate, -std::log(100), 4 * last.evidence.standard_error);
    EXPECT_LT(last.evidence.standard_error, 0.1);
    EXPECT_FALSE(last.evidence.disagree);
    const double barrier = std::tgamma(1.5) / std::sqrt(M_PI) * std::log(100);
    EXPECT_NEAR(last.barrier / barrier, 1, 0.05);
    EXPECT_LT(last.rejection_sum, barrier);
    for (std::size_t i = 0; i < last.schedule.size(); ++i)
      EXPECT_NEAR(std::log(1 + 99 * last.schedule[i]) / std::log(100), static_cast<double>(i) / 7, 0.04);
    EXPECT_GT(static_cast<double>(last.round_trips), 0.8 * last.ideal_round_trips);
    EXPECT_LT(static_cast<double>(last.round_trips), 1.2 * last.ideal_round_trips);
    EXPECT_EQ(last.invalid, 0);
  });
}

TEST(Tempering, AReplicaSendsAtMostOneLetterAScan) {
  on_all_ranks([](const Communicator& world) {
    TemperingOptions options;
    options.chains = 6;
    options.rounds = 6;
    const auto target = make_target("gaussian");
    const Communicator apart = world.split_independent(0, world.rank());
    sample_by_tempering(apart, *target, SliceExplorer(), options);
    Index bytes = 0;
    for (const auto& row : apart.regions().rows())
      if (row.path.ends_with("swap")) bytes += row.bytes;
    bytes = apart.all_reduce_value(bytes, Reduction::sum);
    const Index scans = (1 << 7) - 2;  // of rounds 1 to 6
    // An offer and an answer of 24 bytes a replica, unless they stay on the rank.
    EXPECT_LE(bytes, 2 * 24 * 6 * scans);
    EXPECT_EQ(bytes > 0, world.size() > 1);
  });
}

/// Fails in one replica's evaluation, on whatever rank that is.
class FailingTarget final : public Target {
 public:
  FailingTarget(Index good, double bad) : Target({{"x", {}, Transform::identity()}}), good_(good), bad_(bad) {}
  using Target::evaluate;
  bool samples_reference() const override { return true; }
  void sample_reference(RandomStream& stream, std::span<double> u) override { u[0] = stream.normal(); }
  LogDensity evaluate(std::span<const double> u, std::span<double>, std::span<double>) override {
    return {-0.5 * u[0] * u[0], ++calls_ > good_ ? bad_ : -u[0] * u[0]};
  }
  std::unique_ptr<Target> clone() const override { return std::make_unique<FailingTarget>(*this); }

 private:
  Index good_;
  double bad_;
  Index calls_ = 0;
};

TEST(Tempering, AnInfiniteDensityEndsTheRunOnAllRanks) {
  const Communicator world(MPI_COMM_WORLD);
  TemperingOptions options;
  options.chains = 4;
  // On the last rank only: the others wait for letters when it fails.
  const FailingTarget target(world.rank() == world.size() - 1 ? 300 : 1'000'000'000,
                             std::numeric_limits<double>::infinity());
  std::string message;
  try {
    collectively(world, [&] { sample_by_tempering(world, target, SliceExplorer(), options); });
  } catch (const Error& error) {
    message = error.message();
    EXPECT_EQ(error.category(), Category::numerical);
  }
  EXPECT_NE(message.find("the log density is +inf"), std::string::npos) << message;
  EXPECT_EQ(world.all_reduce_value(1, Reduction::sum), world.size());
}

TEST(Tempering, WithoutAStartOfPositiveDensityNothingBegins) {
  const Communicator world(MPI_COMM_WORLD);
  for (const double bad : {std::nan(""), -std::numeric_limits<double>::infinity()}) {
    const FailingTarget target(0, bad);
    std::string message;
    try {
      collectively(world, [&] { sample_by_tempering(world, target, SliceExplorer(), {}); });
    } catch (const Error& error) {
      message = error.message();
    }
    EXPECT_NE(message.find("no point of positive density among 100 draws from the reference"), std::string::npos)
        << message;
  }
}

}  // namespace
}  // namespace tempera
