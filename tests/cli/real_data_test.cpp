#include <cmath>
#include <sstream>

#include "core/io/hdf5_file.hpp"
#include "tests/cli/decompose_fixture.hpp"

namespace tempera::test {
namespace {

using Texts = std::vector<std::string>;
using RealData = DecomposeCommand;

// The data's own page lists the fits that other programs found: at no small rank is there structure to find.
TEST_F(RealData, RatingsHaveTheDocumentedFits) {
  TEMPERA_REQUIRE_DATA(path, "splatt-test-tensors/med.tns.gz");
  const auto fit = [&](int rank, int restarts) {
    const auto result =
        decompose({path.string(), "--rank", std::to_string(rank), "--restarts", std::to_string(restarts),
                   "--iterations", "200", "--tolerance", "1e-9", "--output", "run", "--overwrite", "--quiet"},
                  2);
    EXPECT_EQ(result.status, 0) << result.err;
    return json("run/summary.json")["fit"].get<double>();
  };
  EXPECT_NEAR(fit(1, 4), 0.00020469, 1e-8);
  const double five = fit(5, 2);
  EXPECT_GT(five, 0.0004);
  EXPECT_LT(five, 0.0007);
}

// A small case of exact rank 2, subscripts from 0, four lines of header: fit 1, entries 0, 1 and √½.
TEST_F(RealData, TheToolboxCaseOfRankTwoIsFoundExactly) {
  TEMPERA_REQUIRE_DATA(path, "tensor-toolbox-text/sptensor_headerless.txt");
  std::istringstream lines(read_text(path));
  std::string line, entries;
  for (int number = 0; std::getline(lines, line); ++number)
    if (number >= 4) entries += line + "\n";
  file("small.tns", entries);
  for (int ranks : {1, 2}) {
    const auto result = decompose({"small.tns", "--index-base", "0", "--rank", "2", "--restarts", "10", "--iterations",
                                   "3000", "--tolerance", "1e-14", "--output", "run", "--overwrite", "--quiet"},
                                  ranks);
    ASSERT_EQ(result.status, 0) << result.err;
    EXPECT_GE(json("run/summary.json")["fit"].get<double>(), 1 - 1e-6);
    const KruskalTensor model = read_hdf5_kruskal(folder_ / "run/factors.h5");
    for (const FactorMatrix& factor : model.factors)
      for (Index i = 0; i < factor.rows(); ++i)
        for (Index r = 0; r < 2; ++r) {
          const double entry = factor(i, r);
          EXPECT_LE(std::min({std::abs(entry), std::abs(entry - 1), std::abs(entry - std::sqrt(0.5))}), 1e-4) << entry;
        }
  }
}

}  // namespace
}  // namespace tempera::test
