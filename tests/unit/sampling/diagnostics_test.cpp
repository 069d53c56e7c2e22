#include "core/sampling/diagnostics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <sstream>

#include "core/base/contract.hpp"
#include "core/base/error.hpp"
#include "core/base/random_stream.hpp"
#include "tests/support/data.hpp"
#include "tests/unit/sampling/posterior_reference.hpp"

namespace tempera {
namespace {

using test::Chains;
using test::kInfinity;
using test::kNaN;
using test::Views;

std::vector<double> members(const ParameterSummary& s) {
  return {s.mean, s.sd, s.q05, s.q50, s.q95, s.rhat, s.ess_bulk, s.ess_tail, s.mcse_mean, s.mcse_sd};
}

/// In the order of ReferenceSet::values.
std::vector<double> every_diagnostic(const Chains& chains) {
  const Views views(chains);
  std::vector<int> pairs;
  for (std::size_t chain = 0; chain < chains.size(); ++chain) pairs.push_back(static_cast<int>(chain / 2));
  std::vector<double> values = members(summarise(views));
  for (const double value : {rhat_bulk(views), rhat_folded(views), ess_mean(views), ess_sd(views), ess_median(views),
                             ess_quantile(views, 0.25), ess_quantile(views, 1), mcse_quantile(views, 0.05),
                             mcse_median(views), mcse_quantile(views, 0.99), rhat_nested(views, pairs)})
    values.push_back(value);
  return values;
}

const std::vector<std::string> kNames = {"mean",        "sd",       "q05",        "q50",     "q95",       "rhat",
                                         "ess_bulk",    "ess_tail", "mcse_mean",  "mcse_sd", "rhat_bulk", "rhat_folded",
                                         "ess_mean",    "ess_sd",   "ess_median", "ess_q25", "ess_q100",  "mcse_q05",
                                         "mcse_median", "mcse_q99", "rhat_nested"};

void expect_equal(const std::vector<double>& found, const std::vector<double>& expected, const std::string& what,
                  double tolerance = 1e-10) {
  for (std::size_t i = 0; i < std::min(found.size(), expected.size()); ++i) {
    if (std::isnan(expected[i]))
      EXPECT_TRUE(std::isnan(found[i])) << what << " " << kNames[i] << " is " << found[i] << " instead of NaN";
    else if (std::isinf(expected[i]))
      EXPECT_EQ(found[i], expected[i]) << what << " " << kNames[i];
    else
      EXPECT_NEAR(found[i], expected[i], tolerance * std::abs(expected[i])) << what << " " << kNames[i];
  }
}

/// Independent normal draws, or the stationary autoregression x_t = φ x_{t−1} + ε_t.
Chains normal_chains(std::size_t count, std::size_t draws, std::uint64_t seed, double phi = 0) {
  Chains chains(count, std::vector<double>(draws));
  for (std::size_t chain = 0; chain < count; ++chain) {
    RandomStream stream(seed, "diagnostics-test", {static_cast<std::int64_t>(chain)});
    double x = stream.normal() / std::sqrt(1 - phi * phi);
    for (double& value : chains[chain]) value = x = phi * x + stream.normal();
  }
  return chains;
}

template <class Map>
Chains mapped(Chains chains, Map map) {
  for (std::vector<double>& chain : chains)
    for (double& value : chain) value = map(value);
  return chains;
}

// posterior subtracts means that are rounded at the size of the draws; far from zero that limits its own digits.
TEST(Diagnostics, EqualThoseOfPosteriorOnEverySet) {
  for (const test::ReferenceSet& set : test::kReferenceSets) {
    const double rounding = 4 * std::numeric_limits<double>::epsilon() * std::abs(set.values[0]) / set.values[1];
    expect_equal(every_diagnostic(test::make_chains(set)), set.values,
                 set.shape + " " + std::to_string(set.chains) + "x" + std::to_string(set.draws),
                 set.values[1] > 0 ? std::max(1e-10, rounding) : 1e-10);
  }
}

/// Columns of a CSV file: chain number first, chains of equal length.
Chains read_parameter(const std::filesystem::path& path, const std::string& parameter) {
  std::istringstream lines(test::read_text(path));
  std::string line;
  std::string cell;
  std::getline(lines, line);
  std::istringstream header(line);
  std::size_t wanted = 0;
  for (std::size_t column = 0; std::getline(header, cell, ','); ++column)
    if (cell == parameter) wanted = column;
  Chains chains;
  while (std::getline(lines, line)) {
    std::istringstream row(line);
    std::getline(row, cell, ',');
    const auto chain = static_cast<std::size_t>(std::stoi(cell));
    for (std::size_t column = 1; column <= wanted; ++column) std::getline(row, cell, ',');
    chains.resize(std::max(chains.size(), chain));
    chains[chain - 1].push_back(std::stod(cell));
  }
  return chains;
}

TEST(Diagnostics, EqualThoseOfPosteriorOnRealDraws) {
  SummaryWorkspace workspace;
  for (const test::ReferencePosterior& reference : test::kReferencePosteriors) {
    TEMPERA_REQUIRE_DATA(path, "posteriordb/" + reference.posterior + ".draws1000.csv");
    const Chains chains = read_parameter(path, reference.parameter);
    ASSERT_EQ(chains.size(), 10U) << path;
    expect_equal(members(summarise(Views(chains), workspace)), reference.values,
                 reference.posterior + " " + reference.parameter);
  }
}

TEST(Diagnostics, SummaryIsBitByBitWhatTheSingleFunctionsGiveInAUsedWorkspaceToo) {
  SummaryWorkspace workspace;
  for (const std::size_t draws : {200U, 201U, 60U, 200U}) {
    const Chains chains = normal_chains(3, draws, 5, 0.6);
    const Views views(chains);
    const ParameterSummary summary = summarise(views, workspace);
    EXPECT_EQ(summary.q05, quantile(views, 0.05));
    EXPECT_EQ(summary.rhat, rhat(views));
    EXPECT_EQ(summary.rhat, std::max(rhat_bulk(views), rhat_folded(views)));
    EXPECT_EQ(summary.ess_bulk, ess_bulk(views));
    EXPECT_EQ(summary.ess_tail, ess_tail(views));
    EXPECT_EQ(summary.ess_tail, std::min(ess_quantile(views, 0.05), ess_quantile(views, 0.95)));
    EXPECT_EQ(summary.mcse_mean, mcse_mean(views));
    EXPECT_EQ(summary.mcse_mean, summary.sd / std::sqrt(ess_mean(views)));
    EXPECT_EQ(summary.mcse_sd, mcse_sd(views));
    EXPECT_EQ(members(summary), members(summarise(views)));
  }
}

TEST(Diagnostics, BulkValuesDoNotChangeUnderMonotoneMapsNorUnderPermutedChains) {
  Chains chains = normal_chains(4, 251, 7, 0.5);
  const double rhat_before = rhat_bulk(Views(chains));
  const double ess_before = ess_bulk(Views(chains));
  const Chains images[] = {mapped(chains, [](double x) { return std::exp(3 * x); }),
                           mapped(chains, [](double x) { return x * x * x - 5; }),
                           mapped(chains, [](double x) { return 1e200 * std::atan(x); })};
  for (const Chains& image : images) {
    EXPECT_EQ(rhat_bulk(Views(image)), rhat_before);
    EXPECT_EQ(ess_bulk(Views(image)), ess_before);
  }
  const Chains falling = mapped(chains, [](double x) { return -x; });
  EXPECT_NEAR(rhat_bulk(Views(falling)), rhat_before, 1e-13);
  EXPECT_NEAR(ess_bulk(Views(falling)), ess_before, 1e-10 * ess_before);
  std::swap(chains[0], chains[3]);
  EXPECT_NEAR(rhat_bulk(Views(chains)), rhat_before, 1e-13);
}

TEST(Diagnostics, LocationAndUnitOfTheDrawsOnlyMoveWhatHasThem) {
  // Multiples of 2⁻²⁰, so that 2²⁰ is added without rounding.
  const Chains chains =
      mapped(normal_chains(4, 300, 11, 0.4), [](double x) { return std::round(x * 0x1p20) / 0x1p20; });
  const ParameterSummary before = summarise(Views(chains));
  for (const double scale : {1e-60, 1e-3, 1.0, 1e60}) {
    const double shift = scale == 1 ? 0x1p20 : 0;
    const Chains moved = mapped(chains, [=](double x) { return scale * x + shift; });
    const ParameterSummary after = summarise(Views(moved));
    expect_equal(
        {shift + scale * before.mean, scale * before.sd, shift + scale * before.q05, shift + scale * before.q50,
         shift + scale * before.q95, before.rhat, before.ess_bulk, before.ess_tail, scale * before.mcse_mean},
        members(after), "scale " + std::to_string(scale), 1e-12);
    EXPECT_NEAR(after.mcse_sd / scale, before.mcse_sd, 1e-9 * before.mcse_sd);
  }
}

// Var of the mean of an AR(1) is σ²(1+φ)/(1−φ)/S. Over 100 seeds the mean ratio strays by its standard error, about
// 0.01; 6 of them and the bias of Geyer's rule leave 8 %.
TEST(Diagnostics, EffectiveSizeOfAnAutoregressionIsTheTheoreticalOne) {
  for (const double phi : {-0.5, 0.0, 0.5, 0.9}) {
    double ratio = 0;
    constexpr int kSeeds = 100;
    for (std::uint64_t seed = 0; seed < kSeeds; ++seed)
      ratio += ess_mean(Views(normal_chains(4, 1000, seed, phi))) / (4000 * (1 - phi) / (1 + phi)) / kSeeds;
    EXPECT_NEAR(ratio, 1, 0.08) << "phi " << phi;
  }
}

TEST(Diagnostics, AntitheticChainsAreWorthMoreThanTheirNumberAndAtMostItsLogarithmTimesIt) {
  EXPECT_GT(ess_bulk(Views(normal_chains(4, 500, 3, -0.6))), 2 * 2000);
  EXPECT_DOUBLE_EQ(ess_mean(Views(normal_chains(4, 500, 3, -0.9))), 2000 * std::log10(2000.0));
}

TEST(Diagnostics, RhatSeesShiftedAndScaledChains) {
  Chains chains = normal_chains(4, 1000, 13);
  EXPECT_LT(rhat(Views(chains)), 1.01);
  Chains shifted = chains;
  for (double& value : shifted[2]) value += 1;
  EXPECT_GT(rhat_bulk(Views(shifted)), 1.05);
  Chains scaled = chains;
  for (double& value : scaled[2]) value *= 3;
  EXPECT_LT(rhat_bulk(Views(scaled)), 1.01);
  EXPECT_GT(rhat_folded(Views(scaled)), 1.05);
  EXPECT_EQ(rhat(Views(scaled)), rhat_folded(Views(scaled)));
  const Chains one{chains[0]};
  Chains drifting = one;
  for (std::size_t t = 0; t < 1000; ++t) drifting[0][t] += static_cast<double>(t) / 500;
  EXPECT_LT(rhat(Views(one)), 1.02);
  EXPECT_GT(rhat(Views(drifting)), 1.1) << "halves of one chain";
}

// Two superchains of two chains: means 0, 2 and 4, 6 and within variances ½ (draws m ± ½): B = 8, W = 2 + ½.
TEST(Diagnostics, NestedRhatOfAHandMadeExample) {
  const Chains chains{{-0.5, 0.5}, {3.5, 4.5}, {1.5, 2.5}, {5.5, 6.5}};
  EXPECT_NEAR(rhat_nested(Views(chains), std::vector<int>{7, -1, 7, -1}), std::sqrt(1 + 8 / 2.5), 1e-15);
  EXPECT_TRUE(std::isnan(rhat_nested(Views(chains), std::vector<int>{1, 1, 1, 2}))) << "unequal superchains";
  EXPECT_TRUE(std::isnan(rhat_nested(Views(chains), std::vector<int>{1, 1, 1, 1}))) << "one superchain";
  EXPECT_THROW(rhat_nested(Views(chains), std::vector<int>{1, 1}), ContractViolation);
}

TEST(Diagnostics, QuantilesInterpolateBetweenOrderStatistics) {
  const Chains chains{{3, 1}, {10, -2}};  // sorted −2 1 3 10
  const Views views(chains);
  EXPECT_EQ(quantile(views, 0), -2);
  EXPECT_EQ(quantile(views, 1), 10);
  EXPECT_EQ(quantile(views, 0.5), 2);
  EXPECT_DOUBLE_EQ(quantile(views, 0.25), 0.25);
  EXPECT_THROW(quantile(views, 1.5), ContractViolation);
  EXPECT_THROW(ess_quantile(views, kNaN), ContractViolation);
}

TEST(Diagnostics, AQuantileBetweenEqualDrawsIsThatDrawToTheLastBit) {
  const Chains chains{std::vector<double>(50, 1 / 3.0), std::vector<double>(50, 7)};
  for (int k = 1; k < 997; ++k) {
    if (std::abs(k - 498) < 6) continue;  // between the two values
    EXPECT_EQ(quantile(Views(chains), k / 997.0), k < 498 ? 1 / 3.0 : 7) << k;
  }
}

// A defect in one draw must not look like convergence.
TEST(Diagnostics, ANonFiniteDrawMakesEveryDiagnosticNaN) {
  for (const double bad : {kNaN, kInfinity, -kInfinity}) {
    Chains chains = normal_chains(4, 100, 17);
    chains[1][3] = bad;
    const std::vector<double> values = every_diagnostic(chains);
    for (std::size_t i = 5; i < values.size(); ++i) EXPECT_TRUE(std::isnan(values[i])) << kNames[i] << " with " << bad;
    EXPECT_FALSE(std::isfinite(values[0]));
    EXPECT_EQ(std::isnan(values[3]), std::isnan(bad)) << "the median of infinite draws is a number";
  }
}

TEST(Diagnostics, TooFewDrawsGiveNaNFromWhatNeedsMore) {
  for (const std::size_t draws : {1U, 2U, 3U, 4U, 5U, 6U}) {
    const Chains chains = normal_chains(4, draws, 23);
    const ParameterSummary summary = summarise(Views(chains));
    EXPECT_TRUE(std::isfinite(summary.sd));
    EXPECT_EQ(std::isnan(summary.rhat), draws < 4) << draws;
    EXPECT_EQ(std::isnan(summary.ess_bulk), draws < 6) << draws;
    EXPECT_EQ(std::isnan(summary.mcse_mean), draws < 6) << draws;
    EXPECT_EQ(std::isnan(mcse_median(Views(chains))), draws < 6) << draws;
  }
}

TEST(Diagnostics, WithoutDrawsEverythingIsNaN) {
  for (const Chains& chains : {Chains{}, Chains(2)})
    for (const double value : every_diagnostic(chains)) EXPECT_TRUE(std::isnan(value));
  const Chains single{{1}, {2}};
  EXPECT_EQ(summarise(Views(single)).mean, 1.5);
  EXPECT_TRUE(std::isnan(rhat(Views(single))));
  EXPECT_TRUE(std::isnan(ess_bulk(Views(single))));
}

// 0.1 and 0.3 equally often: |x − mean| is 0.1 but for rounding, and its spread says nothing.
TEST(Diagnostics, RoundingIsNotMistakenForVariation) {
  for (const double offset : {0.0, 1000.0}) {
    const Chains chains = mapped(normal_chains(2, 50, 19), [offset](double x) { return offset + (x > 0 ? 0.1 : 0.3); });
    Chains balanced = chains;
    balanced.push_back(mapped({chains[0]}, [offset](double x) { return 2 * offset + 0.4 - x; })[0]);
    balanced.push_back(mapped({chains[1]}, [offset](double x) { return 2 * offset + 0.4 - x; })[0]);
    for (std::vector<double>& chain : balanced)
      for (double& x : chain) x = offset + (x < offset + 0.2 ? 0.1 : 0.3);
    EXPECT_TRUE(std::isnan(ess_sd(Views(balanced)))) << offset;
    EXPECT_GT(ess_mean(Views(balanced)), 20);
  }
}

TEST(Diagnostics, ChainsOfDifferentLengthsAreRefused) {
  const Chains chains{{1, 2, 3}, {1, 2, 3}, {1, 2}};
  try {
    rhat(Views(chains));
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.category(), Category::shape);
    EXPECT_EQ(error.message(),
              "tempera: error: diagnostics: chain 3 has 2 draws, chain 1 has 3\n"
              "hint: cut all chains to the length of the shortest");
  }
}

}  // namespace
}  // namespace tempera
