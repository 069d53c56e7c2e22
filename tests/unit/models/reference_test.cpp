#include "tests/models/reference.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "core/sampling/explorers/slice_explorer.hpp"
#include "tests/models/models.hpp"
#include "tests/models/single_chain.hpp"
#include "tests/unit/models/posteriordb_fixture.hpp"

namespace tempera {
namespace {

using References = test::WithPosteriordb<testing::Test>;

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

/// Coordinate slices at β = 1, where coordinates are not too correlated for that.
TEST_F(References, AreMetBySliceSamplingOfCheapModels) {
  for (const char* name :
       {"arK-arK", "eight_schools-eight_schools_noncentered", "garch-garch11", "gp_pois_regr-gp_regr"}) {
    const auto run = test::run_single_chains(name, folder_, SliceExplorer(), 2, 5000, 1);
    const auto comparisons = test::compare_with_reference(run.chains, test::read_reference(name, folder_));
    EXPECT_LT(test::largest_z(comparisons), 4) << test::comparison_table(name, comparisons);
    for (const auto& one : comparisons) EXPECT_GT(one.ess, 100) << test::comparison_table(name, comparisons);
  }
}

}  // namespace
}  // namespace tempera
