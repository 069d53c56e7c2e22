#include <sstream>

#include "core/base/sha256.hpp"
#include "core/io/hdf5_file.hpp"
#include "core/io/npy.hpp"
#include "core/io/tns.hpp"
#include "tests/cli/decompose_fixture.hpp"
#include "tests/support/tensors.hpp"

namespace tempera {
namespace {

using testing::HasSubstr;
using Texts = std::vector<std::string>;
using Json = nlohmann::json;
using DecomposeCommand = test::DecomposeCommand;

TEST_F(DecomposeCommand, LeavesACompleteRunFolder) {
  const KruskalTensor truth{{3.0, 1.0}, test::random_factors({6, 5, 4}, 2, 1)};
  write_npy(folder_ / "x.npy", test::planted(truth, 0.01, 1));
  const auto result = decompose({"x.npy", "--rank", "2", "--output", "run", "--restarts", "3", "--seed", "7"});
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("CP decomposition of x.npy"));
  EXPECT_THAT(result.out, HasSubstr("run folder: run"));

  const Json summary = json("run/summary.json");
  EXPECT_EQ(summary["method"], "cp");
  EXPECT_EQ(summary["rank"], 2);
  EXPECT_EQ(summary["shape"], Json({6, 5, 4}));
  EXPECT_EQ(summary["nonzeros"], 120);
  EXPECT_EQ(summary["mpi_ranks"], 1);
  EXPECT_TRUE(summary["deviance"].is_null());
  EXPECT_TRUE(summary["holdout"].is_null());
  EXPECT_EQ(summary["restart_fits"].size(), 3u);
  EXPECT_DOUBLE_EQ(summary["fit"].get<double>(), 1 - summary["relative_error"].get<double>());
  EXPECT_GE(summary["fit"].get<double>(), 0.98);
  bool timed = false;
  for (const Json& region : summary["regions"]) timed = timed || region["region"] == "cp-als/sweep/mttkrp";
  EXPECT_TRUE(timed) << summary["regions"].dump();

  const Json manifest = json("run/manifest.json");
  EXPECT_EQ(manifest["exit_status"], 0);
  EXPECT_EQ(manifest["seed"], 7);
  EXPECT_EQ(manifest["options"]["values"]["rank"], 2);
  EXPECT_EQ(manifest["options"]["set_by"]["rank"], "command line");
  EXPECT_EQ(manifest["input"]["sha256"], sha256_of_file(folder_ / "x.npy"));
  for (const char* key :
       {"version", "git_hash", "build_flags", "mpi_version", "blas_version", "mpi_ranks", "hosts", "start", "end"})
    EXPECT_FALSE(manifest[key].is_null()) << key;

  std::istringstream progress(test::read_text(folder_ / "run/progress.jsonl"));
  int steps = 0;
  std::string last;
  for (std::string line; std::getline(progress, line);) steps += (last = Json::parse(line)["step"]) == "sweep" ? 1 : 0;
  EXPECT_GE(steps, summary["iterations"].get<int>());
  EXPECT_EQ(last, "checkpoint") << "the state at the end, so that the run can be extended";

  const KruskalTensor model = read_hdf5_kruskal(folder_ / "run/factors.h5");
  EXPECT_EQ(model.shape(), (std::vector<Index>{6, 5, 4}));
  EXPECT_GE(test::factor_match_score(truth, model), 0.99);
}

TEST_F(DecomposeCommand, GivesTheSameFitOnEveryNumberOfRanksAndTheSameBitsOnEqualOnes) {
  write_tns(folder_ / "x.tns", test::random_sparse({12, 10, 9}, 400, 3));
  std::vector<double> fits;
  for (int ranks : {1, 2, 3, 4}) {
    const std::string run = "run" + std::to_string(ranks);
    for (const std::string& name : {run, run + "again"}) {
      const auto result = decompose(
          {"x.tns", "--rank", "3", "--tolerance", "0", "--iterations", "30", "--output", name, "--quiet"}, ranks);
      ASSERT_EQ(result.status, 0) << result.err;
    }
    EXPECT_TRUE(test::read_text(folder_ / (run + "/factors.h5")) ==
                test::read_text(folder_ / (run + "again/factors.h5")))
        << ranks << " ranks";
    fits.push_back(json(run + "/summary.json")["fit"].get<double>());
    EXPECT_EQ(json(run + "/summary.json")["mpi_ranks"], ranks);
  }
  for (double fit : fits) EXPECT_NEAR(fit, fits.front(), 1e-10 * fits.front());
}

TEST_F(DecomposeCommand, ShowsLabelsAndSumsDuplicates) {
  file("x.tns", "1 1 5\n1 1 2\n2 2 1\n");
  file("x.tns.labels.json",
       R"({"modes":[{"name":"fruit","labels":["apple","pear"]},{"name":"colour","labels":["red","green"]}]})");
  const auto result = decompose({"x.tns", "--rank", "1", "--output", "run"});
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("fruit"));
  EXPECT_THAT(result.out, HasSubstr("apple 1.00"));
  EXPECT_THAT(result.out, HasSubstr("1 entry with repeated coordinates was added to another"));
  EXPECT_EQ(json("run/summary.json")["duplicates"], 1);
  EXPECT_NEAR(json("run/summary.json")["weights"][0].get<double>(), 7.0, 1e-9);
}

TEST_F(DecomposeCommand, ReadsOptionsFromAFileAndPrintsJson) {
  file("options.toml", "rank = 2\nconstraint = [\"nonnegative@0,2\"]\niterations = 5\ntolerance = 0.0\n");
  const auto result =
      decompose({good(), "--config", "options.toml", "--iterations", "4", "--json", "--output", "run", "--quiet"});
  ASSERT_EQ(result.status, 0) << result.err;
  const Json summary = Json::parse(result.out);
  EXPECT_EQ(summary["rank"], 2);
  EXPECT_EQ(summary["iterations"], 4);
  EXPECT_EQ(json("run/manifest.json")["options"]["set_by"]["rank"], "options.toml:1");
}

TEST_F(DecomposeCommand, SaysOfASparseFileThatStoresEveryCellWhatAbsenceMeans) {
  file("full.tns", "1 1 1\n1 2 2\n2 1 3\n2 2 4\n");
  const auto sparse = decompose({"full.tns", "--rank", "1", "--output", "run"});
  EXPECT_THAT(sparse.out, HasSubstr("4 nonzeros"));
  EXPECT_THAT(sparse.out, HasSubstr("absent entries are zeros (--missing zero)"));
  write_npy(folder_ / "full.npy", test::random_dense({2, 2}, 1));
  const auto dense = decompose({"full.npy", "--rank", "1", "--output", "dense"}, 2);
  EXPECT_THAT(dense.out, HasSubstr("4 cells"));
  EXPECT_EQ(test::occurrences(dense.out, "missing"), 0);
}

TEST_F(DecomposeCommand, AZeroTensorFitsWithOne) {
  file("zero.tns", "1 1 0\n2 2 0\n");
  const auto result = decompose({"zero.tns", "--rank", "1", "--output", "run"});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr(" 1  (1 - relative error 0)\n"));
  EXPECT_EQ(json("run/summary.json")["fit"], 1);
}

TEST_F(DecomposeCommand, OverwritesARunOnlyWhenTold) {
  good();
  file("run.keep", "mine");
  ASSERT_EQ(decompose({"good.tns", "--rank", "1", "--output", "run"}).status, 0);
  file("run/notes.txt", "mine");
  const auto refused = decompose({"good.tns", "--rank", "1", "--output", "run"});
  EXPECT_EQ(refused.status, 5);
  EXPECT_EQ(refused.err,
            "tempera: error: run: the output folder is not empty\n"
            "hint: choose another --output, or --overwrite to replace the run in it\n");
  EXPECT_EQ(decompose({"good.tns", "--rank", "2", "--output", "run", "--overwrite"}).status, 0);
  EXPECT_EQ(json("run/summary.json")["rank"], 2);
  EXPECT_EQ(test::read_text(folder_ / "run/notes.txt"), "mine");
}

// One row a defect of text input; the line number is checked through the whole message.
// Only the first rank reads the labels: the others must not wait for it.
TEST_F(DecomposeCommand, FindsTheAminoAcids) {
  TEMPERA_REQUIRE_DATA(dense, "aminoacid-fluorescence/aminoacids.npy");
  TEMPERA_REQUIRE_DATA(sparse, "aminoacid-fluorescence/aminoacids.tns.gz");
  for (const auto& input : {dense, sparse})
    for (bool nonnegative : {false, true}) {
      Texts arguments{input.string(), "--rank",   "3",   "--tolerance", "1e-10",  "--iterations",
                      "2000",         "--output", "run", "--overwrite", "--quiet"};
      if (nonnegative) arguments.insert(arguments.end(), {"--constraint", "nonnegative"});
      ASSERT_EQ(decompose(arguments, 2).status, 0);
      EXPECT_NEAR(json("run/summary.json")["fit"].get<double>(), nonnegative ? 0.97485888 : 0.97495148, 2e-8);
    }
}

}  // namespace
}  // namespace tempera
