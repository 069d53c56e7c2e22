// Step sizes as they settle over rounds of doubling length.
#include "core/sampling/explorers/detail/step_size.hpp"

#include <Eigen/Dense>

#include "core/sampling/explorers/explorers.hpp"
#include "tests/unit/sampling/explorers/explorer_fixture.hpp"

namespace tempera {
namespace {

using namespace test;

/// Moments of a round, shrunk towards the scales before as if by five draws.
ChainTuning learnt(const ChainTuning& before, Eigen::Matrix3Xd draws, bool covariance) {
  const double count = static_cast<double>(draws.cols()), weight = count / (count + 5);
  draws.colwise() -= Eigen::Vector3d(draws.rowwise().mean());
  Eigen::Matrix3d moments = weight / count * draws * draws.transpose();
  ChainTuning after = before;
  for (Eigen::Index i = 0; i < 3; ++i) {
    double& scale = after.scales[static_cast<std::size_t>(i)];
    moments(i, i) += (1 - weight) * scale * scale;
    scale = std::sqrt(moments(i, i));
  }
  const Eigen::Matrix3d root = moments.llt().matrixL();
  if (covariance && count > 8)
    after.covariance_factor = {root(0, 0), 0, 0, root(1, 0), root(1, 1), 0, root(2, 0), root(2, 1), root(2, 2)};
  return after;
}

/// Mean acceptance in the tenth round of a single chain. @param start  of the step size; 0: the explorer's own
double settled_acceptance(const Explorer& kind, double start) {
  const ExactCase exact = correlated_normal(1);
  const auto explorer = kind.clone();
  PathDensity density(*exact.target, 1);
  SamplePoint point{{0.3, 0.2, -0.1}, {}};
  density.at(point.u, point.density);
  ChainTuning tuning{{0, 0, 0}, {1, 1, 1}, {}, {start}};
  RandomStream stream(4, "step-size-test", {});
  if (start == 0) tuning.step_sizes = explorer->first_step_sizes(density, tuning, point, stream);
  double acceptance = 0;
  for (int round = 1; round <= 10; ++round) {
    Eigen::Matrix3Xd draws(3, 1 << round);
    ChainReport report;
    for (Eigen::Index k = 0; k < draws.cols(); ++k) {
      report.add(explorer->step(density, tuning, point, stream));
      draws.col(k) = Eigen::Map<const Eigen::Vector3d>(point.u.data());
    }
    acceptance = report.mean_acceptance();
    ChainTuning next = learnt(tuning, draws, explorer->wants_covariance());
    next.step_sizes = explorer->next_step_sizes(tuning, next, report);
    tuning = next;
  }
  return acceptance;
}

TEST(StepSizes, SettleWithinTenRoundsOfDoublingLength) {
  struct Case {
    const char* text;
    double target, tolerance;
  };
  for (const auto& [text, target, tolerance] :
       {Case{"nuts", 0.8, 0.04}, Case{"nuts:dense,target=0.9", 0.9, 0.04}, Case{"hmc", 0.8, 0.1},
        Case{"hmc:target=0.9,dense", 0.9, 0.06}, Case{"mala", 0.574, 0.12}, Case{"rwm", 0.303, 0.06},
        Case{"rwm:target=0.5", 0.5, 0.06}})
    for (const double start : {1e-3, 0.0, 1e3})
      EXPECT_NEAR(settled_acceptance(*make_explorer(text), start), target, tolerance) << text << " from " << start;
}

TEST(StepSizes, StayFiniteWhateverIsReported) {
  const ChainTuning tuning{{}, {1}, {}, {}}, tiny{{}, {1e-200}, {}, {}};
  for (const int order : {1, 2, 3})
    for (const double target : {1e-6, 0.5, 1 - 1e-6})
      for (const double acceptance : {0.0, 0.5, 1.0, 1 + 1e-12})
        for (const Index count : {0, 1, 1 << 20})
          for (const ChainTuning& after : {tuning, tiny})
            for (const double step : {1e-150, 1.0, 1e150}) {
              const StepSizeUse use{count, acceptance * static_cast<double>(count), 0};
              const double next = AcceptanceLaw{order, target, false}.next(step, use, tuning, after);
              EXPECT_TRUE(next >= 1e-150 && next <= 1e150) << order << " " << target << " " << acceptance;
            }
  EXPECT_EQ((AcceptanceLaw{2, 0.8, false}.next(0.3, {}, tuning, tuning)), 0.3) << "nothing was seen";
}

TEST(StepSizes, FollowTheMetricBetweenDenseAndDiagonal) {
  const ChainTuning diagonal{{}, {0.5, 3}, {}, {}}, dense{{}, {0.5, 3}, {0.5, 0, 0, 3}, {}};
  const ChainTuning turned{{}, {2, 2}, {2, 0, 1.2, 1.6}, {}};
  for (const int order : {1, 2, 3}) {
    EXPECT_NEAR(metric_change(order, true, diagonal, dense), 1, 1e-14) << "the same metric";
    EXPECT_NEAR(metric_change(order, true, dense, dense), 1, 1e-14);
    EXPECT_NEAR(metric_change(order, false, turned, diagonal),
                std::pow((std::pow(4.0, 2 * order) + std::pow(2 / 3.0, 2 * order)) / 2, 0.5 / order), 1e-12);
  }
  // S⁻¹ of `turned` times the old one has the columns (1, −0.75) and (0, 1.25): squares have trace 3.125, determinant 1.5625.
  const ChainTuning twos{{}, {2, 2}, {}, {}};
  EXPECT_NEAR(metric_change(2, false, diagonal, twos, 0), 0.25, 1e-14) << "not believed: the smallest";
  EXPECT_NEAR(metric_change(1, true, twos, turned), std::sqrt(3.125 / 2), 1e-12);
  EXPECT_NEAR(metric_change(2, true, twos, turned), std::pow((3.125 * 3.125 - 2 * 1.5625) / 2, 0.25), 1e-12);
}

}  // namespace
}  // namespace tempera
