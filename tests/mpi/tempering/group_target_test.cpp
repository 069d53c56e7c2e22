#include "distributed/tempering/group_target.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <numbers>

#include "tests/support/mpi.hpp"

namespace tempera {
namespace {

using test::on_all_ranks;

constexpr Index kBlocks = 7;

/// Blocks of numbers x ~ N(mean, 1), mean ~ N(0, 1): a piece is Σ x² and Σ x. Fails where it is told to.
class Numbers final : public BlockModel {
 public:
  Numbers(Index first, Index end, std::string failure = {}) : first_(first), end_(end), failure_(std::move(failure)) {}

  /// θ at which it fails, if it does.
  static constexpr double kBad = 3;

  std::vector<ParameterBlock> parameters() const override { return {{"mean", {}, Transform::identity()}}; }
  double log_prior(std::span<const double> theta, std::span<double> gradient) override {
    if (!gradient.empty()) gradient[0] = -theta[0];
    return -0.5 * theta[0] * theta[0];
  }
  bool has_gradient() const override { return true; }
  std::unique_ptr<Model> clone() const override { return std::make_unique<Numbers>(*this); }
  Index blocks() const override { return kBlocks; }
  Index first_block() const override { return first_; }
  Index end_block() const override { return end_; }
  Index piece_size(Index block, bool gradient) const override { return gradient ? 2 : 1 + block % 2; }
  void compute_pieces(std::span<const double> theta, bool gradient, std::span<double> pieces) override {
    if (!failure_.empty() && theta[0] == kBad) throw Error(Category::numerical, "numbers", failure_, "mend it");
    std::size_t at = 0;
    for (Index block = first_; block < end_; ++block) {
      double squares = 0, slope = 0;
      for (Index k = 0; k < 10; ++k) {
        const double off = std::sin(static_cast<double>(17 * block + k)) - theta[0];
        squares += off * off;
        slope += off;
      }
      pieces[at] = -0.5 * squares;
      if (gradient) pieces[at + 1] = slope;
      at += static_cast<std::size_t>(piece_size(block, gradient));
    }
    EXPECT_EQ(at, pieces.size());
  }
  double combine(std::span<const double>, std::span<const std::span<const double>> pieces,
                 std::span<double> gradient) override {
    double sum = 0;
    if (!gradient.empty()) gradient[0] = 0;
    for (const auto piece : pieces) {
      sum += piece[0];
      if (!gradient.empty()) gradient[0] += piece[1];
    }
    return sum;
  }

 private:
  Index first_, end_;
  std::string failure_;
};

std::unique_ptr<BlockModel> share(const Communicator& group, std::string failure = {}) {
  return std::make_unique<Numbers>(kBlocks * group.rank() / group.size(), kBlocks * (group.rank() + 1) / group.size(),
                                   std::move(failure));
}

TEST(GroupTarget, ValuesAndGradientsAreThoseOfOneRank) {
  on_all_ranks([](const Communicator& world) {
    GroupTarget target(world, share(world));
    EXPECT_EQ(target.parameters().front().name, "mean");
    if (!world.is_root()) return target.serve();
    TransformedTarget alone(std::make_unique<Numbers>(0, kBlocks));
    for (double u = -2; u < 4; u += 0.7) {
      double reference[2], likelihood[2];
      const std::span<double> none;
      const auto a = alone.evaluate({&u, 1}, {reference, 1}, {likelihood, 1});
      const auto b = target.evaluate({&u, 1}, {reference + 1, 1}, {likelihood + 1, 1});
      EXPECT_EQ(a.likelihood, b.likelihood);
      EXPECT_EQ(a.reference, b.reference);
      EXPECT_EQ(reference[0], reference[1]);
      EXPECT_EQ(likelihood[0], likelihood[1]);
      EXPECT_EQ(target.clone()->evaluate({&u, 1}, none, none).likelihood, a.likelihood);
    }
    target.release();
    target.release();
    if (world.size() > 1) {
      const double u = 0;
      EXPECT_THROW(target.evaluate({&u, 1}), Error);
    }
  });
}

TEST(GroupTarget, AFailureOnAnyRankIsAnErrorOfTheEvaluationAndTheGroupGoesOn) {
  on_all_ranks([](const Communicator& world) {
    for (int bad = 0; bad < world.size(); ++bad) {
      const bool fails = world.rank() >= bad;  // the lowest speaks
      GroupTarget target(world, share(world, fails ? "no number on rank " + std::to_string(world.rank()) : ""));
      if (!world.is_root()) {
        target.serve();
        continue;
      }
      const double good = 0.5, worse = Numbers::kBad;
      const double before = target.evaluate({&good, 1}).likelihood;
      for (int times = 0; times < 3; ++times) {
        std::string message;
        try {
          target.evaluate({&worse, 1});
        } catch (const Error& error) {
          message = error.message();
          EXPECT_EQ(error.category(), Category::numerical);
        }
        EXPECT_EQ(message, "tempera: error: numbers: no number on rank " + std::to_string(bad) + "\nhint: mend it");
        EXPECT_EQ(target.evaluate({&good, 1}).likelihood, before);
      }
    }
    EXPECT_EQ(world.all_reduce_value(1, Reduction::sum), world.size());
  });
}

TEST(GroupTarget, RanksAreReleasedWhenTheLeadersLastCloneIsGone) {
  on_all_ranks([](const Communicator& world) {
    auto target = std::make_unique<GroupTarget>(world, share(world));
    if (!world.is_root()) return target->serve();
    const double u = 1;
    const auto clone = target->clone();
    target.reset();
    EXPECT_TRUE(std::isfinite(clone->evaluate({&u, 1}).likelihood));
  });
}

TEST(GroupTarget, AnExceptionOnTheLeaderThatIsCaughtReleasesTheRanks) {
  on_all_ranks([](const Communicator& world) {
    for (int times = 0; times < 5; ++times) {
      bool caught = false;
      try {
        GroupTarget target(world, share(world));
        if (world.is_root()) {
          const double u = 1;
          target.evaluate({&u, 1});
          throw Error(Category::usage, "", "enough");
        }
        target.serve();
      } catch (const Error&) {
        caught = true;
      }
      EXPECT_EQ(caught, world.is_root());
      EXPECT_EQ(world.all_reduce_value(1, Reduction::sum), world.size());
    }
  });
}

TEST(GroupTarget, AFailureOfOneLeaderEndsAllGroups) {
  const Communicator world(MPI_COMM_WORLD);
  for (int times = 0; times < 10; ++times) {
    std::string message;
    try {
      collectively(world, [&] {
        const RankGroups groups = split_into_groups(world, 2);
        GroupTarget target(groups.group, share(groups.group));
        if (!groups.group.is_root()) return target.serve();
        const double u = 1;
        for (int k = 0;; ++k) {
          target.evaluate({&u, 1});
          if (groups.leaders.rank() == times % groups.groups && k == 20)
            throw Error(Category::numerical, "leader", "lost the way");
          if (k % 7 == 0) groups.leaders.all_reduce_value(k, Reduction::sum);
        }
      });
    } catch (const Error& error) {
      message = error.message();
    }
    EXPECT_EQ(message, "tempera: error: leader: lost the way");
    EXPECT_EQ(world.all_reduce_value(1, Reduction::sum), world.size());
  }
}

TEST(GroupTarget, GroupsTakeInAllRanks) {
  on_all_ranks([](const Communicator& world) {
    for (int size = 1; size <= world.size() + 2; ++size) {
      const RankGroups groups = split_into_groups(world, size);
      EXPECT_EQ(groups.groups, std::max(1, world.size() / size));
      EXPECT_GE(groups.group.size(), std::min(size, world.size()));
      EXPECT_LT(groups.group.size(), 2 * size + 1);
      EXPECT_EQ(world.all_reduce_value(groups.group.is_root() ? groups.group.size() : 0, Reduction::sum), world.size());
      EXPECT_EQ(groups.leaders.size(), groups.group.is_root() ? groups.groups : 0);
    }
  });
}

TEST(GroupTarget, BlocksHaveToBeConsecutiveAndComplete) {
  on_all_ranks([](const Communicator& world) {
    const auto make = [&](Index first, Index end) { GroupTarget(world, std::make_unique<Numbers>(first, end)); };
    if (world.size() > 1) {
      EXPECT_THROW(make(0, kBlocks), Error);
    }
    EXPECT_THROW(make(0, 0), Error);
  });
}

}  // namespace
}  // namespace tempera
