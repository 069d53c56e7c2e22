#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/io/npy.hpp"
#include "core/io/tns.hpp"
#include "tests/support/data.hpp"
#include "tests/support/process.hpp"
#include "tests/support/tensors.hpp"

namespace tempera {
namespace {

// One rank, and 16 and 64 that share the cores: the same fits.
TEST(ManyRanks, FitsAgreeOn16And64OversubscribedRanks) {
  const test::TemporaryFolder folder;
  write_tns(folder / "sparse.tns", test::random_sparse({60, 50, 40}, 6000, 3));
  const KruskalTensor truth{{2.0, 1.0}, test::random_factors({20, 18, 16}, 2, 5)};
  write_npy(folder / "dense.npy", test::planted(truth, 0.1, 5));
  for (const std::string input : {"sparse.tns", "dense.npy"})
    for (const bool nonnegative : {false, true}) {
      double one_rank = 0;
      for (int ranks : {1, 16, 64}) {
        std::vector<std::string> arguments{"decompose",   input, "--rank",   "4",   "--iterations", "20",
                                           "--tolerance", "0",   "--output", "run", "--overwrite",  "--quiet"};
        if (nonnegative) arguments.insert(arguments.end(), {"--constraint", "nonnegative"});
        const auto result =
            test::tempera_ranks(ranks, arguments, {.seconds = 900, .folder = folder.path(), .environment = {}});
        ASSERT_EQ(result.status, 0) << result.err;
        const auto summary = nlohmann::json::parse(test::read_text(folder / "run/summary.json"));
        EXPECT_EQ(summary["mpi_ranks"], ranks);
        const double fit = summary["fit"];
        if (ranks == 1) one_rank = fit;
        EXPECT_NEAR(fit, one_rank, 1e-10 * std::abs(one_rank)) << input << " on " << ranks << " ranks";
      }
    }
}

}  // namespace
}  // namespace tempera
