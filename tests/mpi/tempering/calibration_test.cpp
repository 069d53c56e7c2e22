#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "core/sampling/schedule.hpp"
#include "core/sampling/explorers/slice_explorer.hpp"
#include "core/sampling/targets/targets.hpp"
#include "distributed/tempering/tempering.hpp"
#include "tests/support/mpi.hpp"

// Two hundred seeds a target: too long for every build (label long, on one rank: more give the same bits).

namespace tempera {
namespace {

struct Subject {
  const char* target;
  std::vector<std::string> settings;
  Index chains;
  int rounds;
  double least_round_trips;  ///< of the ideal number
};

const std::vector<Subject> kSubjects{
    {"gaussian", {"dim=1", "precision=10"}, 4, 10, 0.8},
    {"gaussian", {"dim=10", "precision=10"}, 7, 10, 0.8},
    {"gaussian", {"dim=50", "precision=4"}, 9, 9, 0.8},
    {"mixture", {"dim=2", "modes=4"}, 8, 10, 0.5},
    {"binomial-product", {}, 6, 10, 0.5},
    {"linear-regression", {}, 8, 10, 0.8},
};

TEST(TemperingCalibration, DISABLED_EvidenceHasTheErrorThatItStates) {
  const Communicator world(MPI_COMM_WORLD);
  for (const Subject& subject : kSubjects) {
    const auto target = make_target(subject.target, subject.settings);
    const double truth = exact_log_evidence(subject.target, subject.settings).value();
    double sum = 0, squares = 0, trips = 0, ideal = 0, barrier = 0, rejections = 0;
    constexpr int kSeeds = 200;
    for (int seed = 0; seed < kSeeds; ++seed) {
      TemperingOptions options;
      options.chains = subject.chains;
      options.rounds = subject.rounds;
      options.seed = static_cast<std::uint64_t>(seed);
      const TemperingRound last = sample_by_tempering(world, *target, SliceExplorer(), options).rounds.back();
      const double z = (last.evidence.estimate - truth) / last.evidence.standard_error;
      sum += z;
      squares += z * z;
      trips += static_cast<double>(last.round_trips);
      ideal += last.ideal_round_trips;
      barrier += last.barrier / kSeeds;
      rejections += last.rejection_sum / kSeeds;
    }
    const double mean = sum / kSeeds, sd = std::sqrt(squares / kSeeds - mean * mean);
    if (world.is_root())
      std::printf("%-18s %-22s z mean %6.3f sd %.3f, round trips %.3f of the ideal, barrier %.3f, rejections %.3f\n",
                  subject.target, subject.settings.empty() ? "" : subject.settings.front().c_str(), mean, sd,
                  trips / ideal, barrier, rejections);
    EXPECT_NEAR(mean, 0, 0.25) << subject.target;
    EXPECT_GT(sd, 0.85) << subject.target;
    EXPECT_LT(sd, 1.15) << subject.target;
    EXPECT_GT(trips / ideal, subject.least_round_trips) << subject.target;
  }
}

}  // namespace
}  // namespace tempera
