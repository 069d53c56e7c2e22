#include "tests/models/reference.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "core/sampling/explorers/slice_explorer.hpp"
#include "core/sampling/model.hpp"
#include "tests/models/models.hpp"
#include "tests/support/data.hpp"

namespace tempera {
namespace {

class References : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = test::data_file("posteriordb");
    if (folder_.empty()) GTEST_SKIP() << "real data absent: posteriordb";
  }
  std::filesystem::path folder_;
};

std::vector<double> one_after_the_other(const std::vector<std::vector<double>>& draws) {
  std::vector<double> flat;
  for (const auto& draw : draws) flat.insert(flat.end(), draw.begin(), draw.end());
  return flat;
}

/// The thousand draws are a part of those that the moments were computed from.
TEST_F(References, AreMetByTheirOwnDrawsAndNotByOthers) {
  for (const std::string_view name : test::posteriordb_names()) {
    const auto reference = test::read_reference(name, folder_);
    auto flat = one_after_the_other(test::read_reference_draws(name, folder_));
    std::span<const double> chain(flat);
    const auto good = test::compare_with_reference({&chain, 1}, reference);
    ASSERT_EQ(good.size(), reference.size());
    EXPECT_LT(test::largest_z(good), 4) << test::comparison_table(name, good);
    for (std::size_t i = 0; i < flat.size(); i += reference.size()) {
      flat[i] += 0.25 * reference[0].sd;                                          // the first mean
      flat[i + 1] = reference[1].mean + 1.3 * (flat[i + 1] - reference[1].mean);  // the second standard deviation
    }
    const auto bad = test::compare_with_reference({&chain, 1}, reference);
    EXPECT_GT(bad[0].z_mean, 5) << test::comparison_table(name, bad);
    EXPECT_GT(bad[1].z_sd, 4) << test::comparison_table(name, bad);
  }
}

/// One chain of coordinate slices at β = 1 from a reference draw, where coordinates are not too correlated for that.
TEST_F(References, AreMetBySliceSamplingOfCheapModels) {
  for (const char* name :
       {"arK-arK", "eight_schools-eight_schools_noncentered", "garch-garch11", "gp_pois_regr-gp_regr"}) {
    TransformedTarget target(test::make_posteriordb_model(name, folder_));
    const auto reference = test::read_reference(name, folder_);
    const auto start = test::from_reference_parameters(name, test::read_reference_draws(name, folder_)[0]);
    const auto size = static_cast<std::size_t>(target.dimension());
    SamplePoint point{std::vector<double>(size), {}};
    target.unconstrain(start, point.u);
    PathDensity density(target, 1);
    density.at(point.u, point.density);
    ChainTuning tuning;
    tuning.scales.assign(size, 0.5);
    SliceExplorer explorer;
    RandomStream stream(1, "test-reference-slice");
    std::vector<double> theta(static_cast<std::size_t>(target.constrained_size())), draws;
    for (int draw = 0; draw < 10000; ++draw) {
      explorer.step(density, tuning, point, stream);
      target.constrain(point.u, theta);
      draws.resize(draws.size() + reference.size());
      test::to_reference_parameters(name, theta, std::span(draws).last(reference.size()));
    }
    const std::span<const double> chain(draws);
    const auto comparisons = test::compare_with_reference({&chain, 1}, reference);
    EXPECT_LT(test::largest_z(comparisons), 4) << test::comparison_table(name, comparisons);
    for (const auto& one : comparisons) EXPECT_GT(one.ess, 200) << test::comparison_table(name, comparisons);
  }
}

}  // namespace
}  // namespace tempera
