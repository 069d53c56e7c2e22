#include <fmt/format.h>

#include <numeric>
#include <sstream>

#include "core/base/random_stream.hpp"
#include "core/io/hdf5_file.hpp"
#include "core/io/npy.hpp"
#include "core/io/tns.hpp"
#include "drivers/commands/decompose_options.hpp"
#include "tests/cli/decompose_fixture.hpp"
#include "tests/cli/durability_fixture.hpp"
#include "tests/support/combinations.hpp"
#include "tests/support/tensors.hpp"

namespace tempera::test {
namespace {

using testing::HasSubstr;
using Json = nlohmann::json;
using Texts = std::vector<std::string>;
using DecomposeCounts = DecomposeCommand;
using DurabilityOfCounts = Durability;

/// Small counts, many of them 0.
DenseTensor small_counts(const std::vector<Index>& shape) {
  DenseTensor tensor(shape);
  RandomStream stream(8, "small-counts", {});
  for (double& value : tensor.values()) value = std::floor(6 * std::pow(stream.uniform(), 4));
  return tensor;
}

TEST_F(DecomposeCounts, FindsTheDevianceOfTheTitanicOnEveryNumberOfRanks) {
  TEMPERA_REQUIRE_DATA(sparse, "contingency-tables/Titanic.tns");
  TEMPERA_REQUIRE_DATA(dense, "contingency-tables/Titanic.npy");
  for (const auto& input : {sparse, dense})
    for (int ranks : {1, 2, 3, 4}) {
      const auto result =
          decompose({input.string(), "--loss", "poisson", "--rank", "1", "--output", "run", "--overwrite"}, ranks);
      ASSERT_EQ(result.status, 0) << result.err;
      EXPECT_THAT(result.out, HasSubstr("rank 1, poisson loss, nonnegative"));
      EXPECT_THAT(result.out, HasSubstr("deviance  1243.663231  (largest violation of the KKT conditions "));
      const Json summary = json("run/summary.json");
      EXPECT_NEAR(summary["deviance"].get<double>(), 1243.6632311919006, 1e-9 * 1243.66);
      EXPECT_NEAR(summary["component_totals"][0].get<double>(), 2201, 1e-8);
      EXPECT_LE(summary["kkt_violation"].get<double>(), 1e-8);
    }
}

TEST_F(DecomposeCounts, SummaryFactorsAndProgressAgree) {
  const DenseTensor tensor = small_counts({9, 8, 7});
  write_npy(folder_ / "x.npy", tensor);
  for (const std::string solver : {"mu", "newton"}) {
    const auto result = decompose({"x.npy", "--loss", "poisson", "--solver", solver, "--rank", "3", "--restarts", "2",
                                   "--constraint", "nonnegative", "--output", "run", "--overwrite"});
    ASSERT_EQ(result.status, 0) << result.err;
    EXPECT_THAT(result.out, HasSubstr("(best of 2 starts: deviances "));
    const Json summary = json("run/summary.json");
    EXPECT_EQ(summary["loss"], "poisson");
    EXPECT_EQ(summary["restart_deviances"].size(), 2u);
    EXPECT_TRUE(summary["converged"].get<bool>());
    // The file holds unit columns like that of any CP model; the totals are in the summary.
    const KruskalTensor model = read_hdf5_kruskal(folder_ / "run/factors.h5");
    double deviance = 0, total = 0, counted = 0;
    std::vector<Index> cell(3, 0);
    do {
      const double x = tensor(cell), m = model(cell);
      deviance += 2 * ((x > 0 ? x * std::log(x / m) : 0) - x + m);
      total += m;
      counted += x;
    } while (next_cell(cell, tensor.shape()));
    EXPECT_NEAR(summary["deviance"].get<double>(), deviance, 1e-9 * deviance);
    const auto totals = summary["component_totals"].get<std::vector<double>>();
    EXPECT_NEAR(std::accumulate(totals.begin(), totals.end(), 0.0), total, 1e-9 * total);
    EXPECT_NEAR(total, counted, 1e-9 * counted);
    for (const FactorMatrix& factor : model.factors)
      for (Index r = 0; r < 3; ++r) {
        double squares = 0;
        for (Index i = 0; i < factor.rows(); ++i) squares += factor(i, r) * factor(i, r);
        EXPECT_NEAR(squares, 1, 1e-12);
      }
    std::istringstream progress(read_text(folder_ / "run/progress.jsonl"));
    double last = 0;
    for (std::string line; std::getline(progress, line);) {
      const Json step = Json::parse(line);
      if (step["step"] == "sweep" && step["restart"] == summary["best_restart"]) last = step["deviance"];
    }
    EXPECT_EQ(last, summary["deviance"].get<double>());
  }
}

TEST_F(DecomposeCounts, AZeroTensorHasNoDeviance) {
  file("zero.tns", "1 1 0\n2 2 0\n");
  const auto result = decompose({"zero.tns", "--loss", "poisson", "--rank", "1", "--output", "run"});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(json("run/summary.json")["deviance"], 0.0);
}

TEST_F(DecomposeCounts, RefusesWhatIsNoCountWithTheFirstCell) {
  file("negative.tns", "3 1 2 4\n2 2 1 -3\n2 1 1 1.5\n2 2 2 -1\n");
  expect_refusal({"negative.tns", "--loss", "poisson"}, 3,
                 "negative.tns: cell (2, 1, 1), counted from 1, holds 1.5: --loss poisson takes counts, whole numbers "
                 "from 0 up\nhint: round the values, or use --loss gaussian");
  DenseTensor dense({2, 3});
  dense(std::vector<Index>{1, 2}) = -7;
  write_npy(folder_ / "dense.npy", dense);
  expect_refusal({"dense.npy", "--loss", "poisson"}, 3,
                 "dense.npy: cell (1, 2), counted from 0, holds -7: --loss poisson takes counts, whole numbers from 0 "
                 "up\nhint: --loss gaussian takes any values");
}

TEST_F(DecomposeCounts, AHoldoutIsInTheSummaryAndPrinted) {
  const DenseTensor tensor = small_counts({20, 15, 10});
  write_tns(folder_ / "x.tns", every_cell(tensor));
  write_npy(folder_ / "x.npy", tensor);
  for (const auto& [input, loss, name] :
       {std::tuple{"x.npy", "gaussian", "squared error"}, std::tuple{"x.tns", "poisson", "deviance"}}) {
    Json first;
    for (int ranks : {1, 2, 3, 4}) {
      const auto result = decompose(
          {input, "--loss", loss, "--rank", "2", "--holdout", "0.1", "--output", "run", "--overwrite"}, ranks);
      ASSERT_EQ(result.status, 0) << result.err;
      EXPECT_THAT(result.out, HasSubstr(std::string("holdout   ") + name + " of a cell "));
      const Json holdout = json("run/summary.json")["holdout"];
      EXPECT_EQ(holdout["share"], 0.1);
      EXPECT_EQ(holdout["loss"], name);
      EXPECT_GT(holdout["standard_error"].get<double>(), 0);
      if (ranks == 1) first = holdout;
      EXPECT_NEAR(holdout["mean"].get<double>(), first["mean"].get<double>(), 1e-6 * first["mean"].get<double>());
      EXPECT_EQ(holdout["strata"][0]["held"], first["strata"][0]["held"]);
    }
  }
}

TEST_F(DecomposeCounts, AHoldoutThatWouldEmptySlicesLeavesTheirEntriesAndNamesTheFirst) {
  // A diagonal: every slice has one entry.
  file("diagonal.tns", "1 1 1 3\n2 2 2 1\n3 3 3 2\n4 4 4 5\n");
  expect_refusal({"diagonal.tns", "--rank", "2", "--holdout", "0.5"}, 2,
                 "--holdout: a share of 0.5 keeps none of 4 nonzeros apart\n"
                 "hint: choose a larger share or another --seed; slices with one entry keep it");
  std::string text = "9 9 9 4\n";
  for (int i = 1; i <= 5; ++i)
    for (int j = 1; j <= 5; ++j) text += fmt::format("{} {} {} 2\n", i, j, (i + j) % 5 + 1);
  file("mixed.tns", text);
  const auto result = decompose({"mixed.tns", "--rank", "2", "--holdout", "0.6", "--seed", "5", "--output", "run"});
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("drawn for --holdout but left in the fit, as a slice holds no others: 1 entry "
                                    "(first slice: 9 of mode 0)\n"));
  EXPECT_EQ(json("run/summary.json")["holdout"]["returned"], 1);
}

TEST_F(DecomposeCounts, RefusesOptionsThatDoNotGoTogether) {
  good();
  expect_refusal({"good.tns", "--solver", "mu"}, 2,
                 "--solver: 'mu' is for --loss poisson\nhint: leave it out, or add --loss poisson");
  const auto share = decompose({"good.tns", "--holdout", "1"});
  EXPECT_EQ(share.status, 2);
  EXPECT_THAT(share.err, HasSubstr("--holdout"));
  drivers::DecomposeOptions options;
  options.loss = "poisson";
  options.constraints = {"nonnegative@1"};
  EXPECT_NO_THROW(drivers::check_loss(options));
  for (const std::string& text : constraint_texts()) {
    options.constraints = {"nonnegative", text + "@0"};
    try {
      drivers::check_loss(options);
      EXPECT_EQ(text, "nonnegative") << "not refused";
    } catch (const std::exception& error) {
      EXPECT_THAT(error.what(), HasSubstr("'" + text + "@0' does not go with --loss poisson"));
    }
  }
}

TEST_F(DurabilityOfCounts, GoOnToTheSameBits) {
  const DenseTensor tensor = small_counts({14, 12, 10});
  write_npy(path("counts.npy"), tensor);
  write_tns(path("counts.tns"), every_cell(tensor));
  const std::vector<Arguments> variants = {
      {}, {"--solver", "mu"}, {"--restarts", "3"}, {"--grid", "1x2x1"}, {"--holdout", "0.2"}};
  int count = 0;
  for (const std::string input : {"counts.tns", "counts.npy"})
    for (const Arguments& variant : variants) {
      const Run run{with(fit(input, 12, {"--loss", "poisson", "--checkpoint-every", "2it"}), variant), 2};
      const std::string name = "variant-" + std::to_string(++count);
      SCOPED_TRACE(input + " " + testing::PrintToString(variant));
      const bool starts = !variant.empty() && variant[0] == "--restarts";
      const auto killed =
          start_with(run, name, {.path = "progress.jsonl", .call = starts ? 28 : 12, .action = "torn", .rank = 0});
      ASSERT_EQ(killed.status, kKilled) << killed.err;
      const auto result = resume(2, name);
      ASSERT_EQ(result.status, 0) << result.err;
      expect_as_unbroken(name, run, true);
      EXPECT_EQ(json(name + "/summary.json")["deviance"], json(unbroken(run) + "/summary.json")["deviance"]);
      EXPECT_EQ(json(name + "/summary.json")["restart_deviances"],
                json(unbroken(run) + "/summary.json")["restart_deviances"]);
    }
}

TEST_F(DurabilityOfCounts, AHoldoutOfSquaredErrorsGoesOnToTheSameBits) {
  for (const std::string input : {"sparse.tns", "dense.npy"}) {
    const Run run{fit(input, 12, {"--checkpoint-every", "2it", "--holdout", "0.1"}), 2};
    const auto killed =
        start_with(run, "run-" + input, {.path = "progress.jsonl", .call = 12, .action = "torn", .rank = 0});
    ASSERT_EQ(killed.status, kKilled) << killed.err;
    const std::string name = "run-" + input;
    const auto result = resume(2, name);
    ASSERT_EQ(result.status, 0) << result.err;
    expect_as_unbroken(name, run, true);
    EXPECT_EQ(json(name + "/summary.json")["holdout"], json(unbroken(run) + "/summary.json")["holdout"]);
  }
}

TEST_F(DurabilityOfCounts, AFinishedRunIsExtendedToTheBitsOfALongerOne) {
  write_npy(path("counts.npy"), small_counts({14, 12, 10}));
  const Arguments counts{"--loss", "poisson", "--checkpoint-every", "3it"};
  const Run run{fit("counts.npy", 9, counts), 2}, longer{fit("counts.npy", 20, counts), 2};
  ASSERT_EQ(start(run, "extended").status, 0);
  const auto result = resume(2, "extended", {"--iterations", "20"});
  ASSERT_EQ(result.status, 0) << result.err;
  expect_as_unbroken("extended", longer, true);
  const auto other = resume(2, "extended", {"--iterations", "25", "--solver", "mu"});
  EXPECT_EQ(other.status, 2);
  EXPECT_THAT(other.err, HasSubstr("--solver: is \"auto\" in this run and cannot become \"mu\""));
  ASSERT_EQ(resume(3, "extended", {"--iterations", "25"}).status, 0);
  expect_as_unbroken("extended", {fit("counts.npy", 25, counts), 2}, false);
}

}  // namespace
}  // namespace tempera::test
