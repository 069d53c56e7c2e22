#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "core/base/random_stream.hpp"
#include "core/io/hdf5_file.hpp"
#include "core/io/npy.hpp"
#include "tests/cli/decompose_fixture.hpp"
#include "tests/cli/durability_fixture.hpp"
#include "tests/support/tensors.hpp"

namespace tempera::test {
namespace {

using testing::HasSubstr;
using Json = nlohmann::json;
using DecomposeMissing = DecomposeCommand;
using DurabilityOfMissing = Durability;

/// Noisy low-rank cells, every third of them NaN.
DenseTensor with_missing_cells(const std::vector<Index>& shape) {
  DenseTensor tensor = planted({{2.0, 1.0}, random_factors(shape, 2, 5)}, 0.1, 6);
  RandomStream stream(4, "missing-cells", {});
  for (double& value : tensor.values())
    if (stream.uniform() < 1.0 / 3) value = std::numeric_limits<double>::quiet_NaN();
  return tensor;
}

/// Lines of the cells that are not NaN.
std::string observed_lines(const DenseTensor& tensor) {
  std::string text;
  std::vector<Index> cell(tensor.shape().size(), 0);
  do {
    if (std::isnan(tensor(cell))) continue;
    for (const Index index : cell) text += fmt::format("{} ", index + 1);
    text += fmt::format("{}\n", tensor(cell));
  } while (next_cell(cell, tensor.shape()));
  return text;
}

TEST_F(DecomposeMissing, NaNCellsAndAbsentLinesAreTheSameMissingCells) {
  const DenseTensor tensor = with_missing_cells({9, 8, 7});
  write_npy(folder_ / "x.npy", tensor);
  file("x.tns", observed_lines(tensor));
  Index observed = 0;
  double norm = 0;
  for (const double value : tensor.values())
    if (!std::isnan(value)) {
      ++observed;
      norm += value * value;
    }
  for (const std::string input : {"x.npy", "x.tns"})
    for (int ranks : {1, 3}) {
      const auto result = decompose({input, "--missing", "unobserved", "--rank", "2", "--dims", "9,8,7", "--iterations",
                                     "30", "--tolerance", "0", "--output", "run", "--overwrite"},
                                    ranks);
      ASSERT_EQ(result.status, 0) << result.err;
      EXPECT_THAT(result.out, HasSubstr(fmt::format("missing   absent entries are not observed: the fit is over {} "
                                                    "observed cells of 504 (--missing unobserved)\n",
                                                    observed)));
      const Json summary = json("run/summary.json");
      EXPECT_EQ(summary["missing"], "unobserved");
      EXPECT_EQ(summary["observed_cells"], observed);
      const KruskalTensor model = read_hdf5_kruskal(folder_ / "run/factors.h5");
      double residual = 0;
      std::vector<Index> cell(3, 0);
      do
        if (!std::isnan(tensor(cell))) residual += std::pow(tensor(cell) - model(cell), 2);
      while (next_cell(cell, tensor.shape()));
      EXPECT_NEAR(summary["fit"].get<double>(), 1 - std::sqrt(residual / norm), 1e-11);
      EXPECT_GT(summary["fit"].get<double>(), 0.85);
    }
}

TEST_F(DecomposeMissing, ByDefaultAbsentCellsAreZerosAndNaNIsRefused) {
  write_npy(folder_ / "x.npy", with_missing_cells({3, 2, 2}));
  const auto refused = decompose({"x.npy", "--rank", "1", "--output", "run"});
  EXPECT_EQ(refused.status, 3);
  EXPECT_THAT(refused.err, HasSubstr("hint: decompose --missing unobserved takes NaN for a missing cell"));
  ASSERT_EQ(decompose({good(), "--rank", "1", "--output", "run"}).status, 0);
  EXPECT_EQ(json("run/summary.json")["missing"], "zero");
  EXPECT_TRUE(json("run/summary.json")["observed_cells"].is_null());
}

TEST_F(DecomposeMissing, DenseDataWithoutNaNStayDense) {
  write_npy(folder_ / "x.npy", random_dense({4, 3, 2}, 1));
  const auto result = decompose({"x.npy", "--missing", "unobserved", "--rank", "1", "--output", "run"});
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("the fit is over 24 observed cells of 24"));
}

TEST_F(DecomposeMissing, ConstraintsThatCoupleRowsAreRefused) {
  expect_refusal(
      {good(), "--missing", "unobserved", "--rank", "1", "--constraint", "smooth:1@1"}, 2,
      "--constraint: 'smooth:1' in mode 1 does not go with --missing unobserved: the rows of a mode are fitted "
      "one by one to their observed cells, and this constraint couples them\nhint: ridge, l1, nonnegative and "
      "boxes with 0 inside do");
}

TEST_F(DecomposeMissing, CountsAndHoldoutKnowOfIt) {
  DenseTensor tensor({8, 7, 6});
  RandomStream stream(8, "some-counts", {});
  for (double& value : tensor.values())
    value = stream.uniform() < 0.3 ? std::numeric_limits<double>::quiet_NaN() : std::floor(5 * stream.uniform());
  write_npy(folder_ / "x.npy", tensor);
  const auto result = decompose(
      {"x.npy", "--missing", "unobserved", "--loss", "poisson", "--rank", "2", "--holdout", "0.2", "--output", "run"},
      2);
  ASSERT_EQ(result.status, 0) << result.err;
  const Json summary = json("run/summary.json"), strata = summary["holdout"]["strata"];
  ASSERT_EQ(strata.size(), 1u);
  EXPECT_EQ(strata[0]["name"], "observed cells");
  EXPECT_EQ(summary["observed_cells"].get<Index>() + strata[0]["held"].get<Index>(), summary["nonzeros"].get<Index>());
}

// Closed form, and ADMM whose duals are part of the state.
TEST_F(DurabilityOfMissing, StoppedRunsGoOnToTheSameBits) {
  write_npy(folder_ / "x.npy", with_missing_cells({12, 10, 9}));
  for (const std::string constraint : {"ridge:0.01", "box:-1,2"}) {
    const Run run{
        fit("x.npy", 24, {"--missing", "unobserved", "--constraint", constraint, "--checkpoint-every", "5it"})};
    const std::string name = "stopped-" + constraint.substr(0, 3);
    Run shorter = run;
    shorter.arguments[4] = "11";
    ASSERT_EQ(start(shorter, name).status, 0);
    const auto on = resume(2, name, {"--iterations", "24"});
    ASSERT_EQ(on.status, 0) << on.err;
    expect_as_unbroken(name, run, true);
  }
}

}  // namespace
}  // namespace tempera::test
