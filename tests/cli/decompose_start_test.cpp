#include "core/io/hdf5_file.hpp"
#include "core/io/npy.hpp"
#include "core/io/tns.hpp"
#include "tests/cli/decompose_fixture.hpp"
#include "tests/cli/durability_fixture.hpp"

namespace tempera {
namespace {

using testing::HasSubstr;
using Texts = std::vector<std::string>;
using DecomposeStart = test::DecomposeCommand;

class StartsAtOnce : public test::Durability {};

TEST_F(DecomposeStart, AFileOfFactorsIsGoneOnFrom) {
  write_npy(folder_ / "x.npy", test::planted({{3, 2, 1}, test::random_factors({9, 8, 7}, 3, 1)}, 0.3, 1));
  const Texts common{"x.npy", "--rank", "3", "--tolerance", "0"};
  const auto run = [&](const std::string& name, Texts more, int ranks = 0) {
    Texts arguments = common;
    more.insert(more.end(), {"--output", name});
    arguments.insert(arguments.end(), more.begin(), more.end());
    const auto result = decompose(arguments, ranks);
    EXPECT_EQ(result.status, 0) << result.err;
    return json(name + "/summary.json").at("fit").get<double>();
  };
  run("first", {"--iterations", "6"});
  const double whole = run("whole", {"--iterations", "10"});
  for (int ranks : {0, 3}) {
    const std::string name = "second" + std::to_string(ranks);
    EXPECT_NEAR(run(name, {"--iterations", "4", "--init", "first/factors.h5"}, ranks), whole, 1e-12);
    EXPECT_EQ(json(name + "/summary.json").at("init"), "first/factors.h5");
    EXPECT_EQ(json(name + "/manifest.json").at("start_file").at("sha256").get<std::string>().size(), 64u);
  }
  // A run that goes on has its state in the checkpoint.
  std::filesystem::remove(folder_ / "first/factors.h5");
  const auto resumed =
      test::tempera({"resume", "second0", "--iterations", "8"}, {.seconds = 60, .folder = folder_.path()});
  EXPECT_EQ(resumed.status, 0) << resumed.err;
  EXPECT_EQ(json("second0/summary.json").at("iterations"), 8);
}

TEST_F(DecomposeStart, RefusesStartsThatDoNotFit) {
  good();
  file("other.tns", "1 1 1 1.0\n2 2 2 2.0\n4 1 2 0.5\n");
  ASSERT_EQ(decompose({"other.tns", "--rank", "2", "--output", "other"}).status, 0);
  expect_refusal({"good.tns", "--rank", "2", "--init", "other/factors.h5"}, 3,
                 "other/factors.h5: holds a start of shape 4 x 2 x 2 and rank 2, for a tensor of shape 3 x 2 x 2 and "
                 "--rank 2\nhint: name the factors.h5 of a run on a tensor of this shape");
  expect_refusal({"other.tns", "--rank", "3", "--init", "other/factors.h5"}, 3,
                 "other/factors.h5: holds a start of shape 4 x 2 x 2 and rank 2, for a tensor of shape 4 x 2 x 2 and "
                 "--rank 3\nhint: --rank 2 begins from it");
  expect_refusal(
      {"other.tns", "--rank", "2", "--init", "other/factors.h5", "--restarts", "3"}, 2,
      "--restarts: 3 starts from one file\nhint: a start from a file is the same each time: leave --restarts "
      "away, or use --init random or nvecs");
  expect_refusal({"good.tns", "--init", "nvec"}, 2,
                 "--init: 'nvec' is neither random nor nvecs, nor a file\nhint: did you mean 'nvecs'?");
  expect_refusal({"good.tns", "--init", "absent.h5"}, 3,
                 "absent.h5: no such file\nhint: check the path; it is relative to the working directory");
  for (int ranks : {1, 2}) {
    const auto groups = decompose({"good.tns", "--start-groups", "3", "--output", "refused"}, ranks);
    EXPECT_EQ(groups.status, 2);
    EXPECT_THAT(groups.err, HasSubstr("tempera: error: --start-groups: 3 groups of " + std::to_string(ranks) +
                                      " MPI rank" + (ranks == 1 ? "" : "s") +
                                      "\nhint: a group has at least one rank: give a smaller number, or auto\n"));
    EXPECT_FALSE(std::filesystem::exists(folder_ / "refused"));
  }
}

TEST_F(DecomposeStart, RefusesDampingThatIsNone) {
  good();
  expect_refusal({"good.tns", "--damping", "-1"}, 2,
                 "--damping: '-1' is no damping\nhint: give a number from 0 up, such as 0.01, or auto");
  expect_refusal({"good.tns", "--loss", "poisson", "--damping", "auto"}, 2,
                 "--damping: is for --loss gaussian\nhint: leave it out");
}

TEST_F(DecomposeStart, RefusesInputThatNoFitCanUse) {
  good();
  expect_refusal({"good.tns", "--tolerance", "-1"}, 2,
                 "--tolerance: -1 is out of range: at least 0 expected\nhint: see 'tempera decompose --help'");
  expect_refusal({"good.tns", "--tolerance", "nan"}, 2,
                 "--tolerance: 'nan' is not a number\nhint: see 'tempera decompose --help'");
  expect_refusal({"good.tns", "--rank", "3", "--constraint", "orthogonal@1"}, 2,
                 "--constraint: 'orthogonal' in mode 1: 3 columns of length 2 cannot be orthogonal: the rank is above "
                 "the size of the mode\nhint: choose another --rank, or constrain other modes: NAME@0,2");
  expect_refusal({"good.tns", "--constraint", "row-simplex@1", "--constraint", "box:-2,-1@1"}, 2,
                 "--constraint: 'row-simplex box:-2,-1' in mode 1: the entries of a simplex are nonnegative, and the "
                 "box allows negative ones only\nhint: modes can have different constraints: nonnegative@0,2");
  expect_refusal({"good.tns", "--loss", "poisson"}, 3,
                 "good.tns: cell (3, 1, 2), counted from 1, holds 0.5: --loss poisson takes counts, whole numbers from "
                 "0 up\nhint: round the values, or use --loss gaussian");
  file("negative.tns", "1 1 1 2\n2 2 2 -3\n");
  expect_refusal({"negative.tns", "--loss", "poisson"}, 3,
                 "negative.tns: cell (2, 2, 2), counted from 1, holds -3: --loss poisson takes counts, whole numbers "
                 "from 0 up\nhint: --loss gaussian takes any values");
}

// All zero, and a mode of size 1: no mistakes of the user, and no special words but one note.
TEST_F(DecomposeStart, TakesAZeroTensorAndAModeOfSizeOneForEveryStart) {
  file("zero.tns", "1 1 1 0\n2 2 2 0\n");
  file("one.tns", "1 1 1 1\n1 2 3 2\n1 1 2 1\n");
  for (const std::string init : {"random", "nvecs"})
    for (int ranks : {0, 2}) {
      const auto zero =
          decompose({"zero.tns", "--rank", "2", "--init", init, "--output", "zero", "--overwrite"}, ranks);
      EXPECT_EQ(zero.status, 0) << zero.err;
      EXPECT_THAT(zero.out, HasSubstr("note      the tensor is zero everywhere: the model is zero and its fit is 1 by "
                                      "definition\n"));
      EXPECT_EQ(test::occurrences(zero.out, "advice"), 0) << zero.out;
      const auto one = decompose({"one.tns", "--rank", "2", "--init", init, "--output", "one", "--overwrite"}, ranks);
      EXPECT_EQ(one.status, 0) << one.err;
      EXPECT_GE(json("one/summary.json").at("fit").get<double>(), 1 - 1e-6);
    }
}

// Models of rank 2 come as near as one likes to this tensor of rank 3 (de Silva & Lim 2008).
TEST_F(DecomposeStart, AdviceIsGivenWhereSomethingIsWrongOnly) {
  file("degenerate.tns", "1 1 2 1\n1 2 1 1\n2 1 1 1\n");
  const auto sick =
      decompose({"degenerate.tns", "--rank", "2", "--extrapolation", "--iterations", "600", "--output", "sick"});
  ASSERT_EQ(sick.status, 0) << sick.err;
  EXPECT_THAT(sick.out, HasSubstr("  advice    degenerate: components 1 and 2 cancel (product of cosines -0.9"));
  EXPECT_THAT(sick.out,
              HasSubstr("and still grow: it seems that no model of this rank is the best; try a lower --rank, "
                        "--constraint ridge:X, or orthogonal or nonnegative in one mode\n"));
  const auto health = json("sick/summary.json").at("health");
  EXPECT_EQ(health.at("degenerate"), true);
  EXPECT_EQ(health.at("opposed_components"), nlohmann::json({0, 1}));
  EXPECT_EQ(health.at("conditions").size(), 3u);
  const auto sound =
      decompose({"degenerate.tns", "--rank", "2", "--constraint", "nonnegative", "--output", "sound"}, 2);
  ASSERT_EQ(sound.status, 0) << sound.err;
  EXPECT_EQ(test::occurrences(sound.out, "advice"), 0) << sound.out;
  EXPECT_EQ(json("sound/summary.json").at("advice"), nlohmann::json::array());
}

TEST_F(DecomposeStart, WordsMovedAreThoseOfTheBound) {
  write_tns(folder_ / "x.tns", test::random_sparse({40, 30, 20}, 3000, 3));
  for (int ranks : {1, 3, 4}) {
    ASSERT_EQ(
        decompose({"x.tns", "--rank", "8", "--iterations", "5", "--tolerance", "0", "--output", "run", "--overwrite"},
                  ranks)
            .status,
        0);
    const auto health = json("run/summary.json").at("health");
    EXPECT_EQ(health.at("words_sent_per_sweep"), health.at("words_bound_per_sweep")) << ranks << " ranks";
    EXPECT_EQ(health.at("words_bound_per_sweep").get<double>() > 0, ranks > 1);
  }
}

// Killed while several starts are under way: all of them go on, on any number of ranks.
TEST_F(StartsAtOnce, GoOnAfterAKill) {
  struct Case {
    int ranks, resumed;
    const char* groups;
  };
  for (const auto& [ranks, resumed, groups] : {Case{3, 3, "3"}, Case{4, 2, "3"}, Case{2, 4, "auto"}, Case{2, 1, "2"}}) {
    SCOPED_TRACE(std::to_string(ranks) + " ranks, then " + std::to_string(resumed));
    const Run run{fit("sparse.tns", 120, {"--checkpoint-every", "20it", "--restarts", "5", "--start-groups", groups}),
                  ranks};
    const std::string name = "killed-" + std::to_string(ranks) + "-" + std::to_string(resumed);
    test::RunningProcess job = test::tempera_in_background(ranks, decompose(run, name), here());
    ASSERT_TRUE(wait_for_sweeps(job, name, 90)) << job.wait().err;
    job.kill_all();
    EXPECT_EQ(job.wait().status, test::kKilled);
    const auto result = resume(resumed, name, resumed < 3 ? Arguments{"--start-groups", "auto"} : Arguments{});
    ASSERT_EQ(result.status, 0) << result.err;
    expect_as_unbroken(name, run, ranks == resumed);
    const auto expected = json(unbroken(run) + "/summary.json"), found = json(name + "/summary.json");
    EXPECT_EQ(found.at("best_restart"), expected.at("best_restart"));
    ASSERT_EQ(found.at("restart_fits").size(), 5u);
    for (std::size_t k = 0; k < 5; ++k)
      EXPECT_NEAR(found.at("restart_fits")[k].get<double>(), expected.at("restart_fits")[k].get<double>(), 1e-9);
  }
}

TEST_F(StartsAtOnce, StopOnRequestAndAreExtendedOnceTheyHaveEnded) {
  const Run run{fit("sparse.tns", 300, {"--checkpoint-every", "never", "--restarts", "3", "--constraint", "norm@1"}),
                2};
  test::RunningProcess job = test::tempera_in_background(2, decompose(run, "stopped"), here());
  ASSERT_TRUE(wait_for_sweeps(job, "stopped", 30)) << job.wait().err;
  job.signal(SIGUSR1);
  EXPECT_EQ(job.wait().status, test::kStopped);
  ASSERT_EQ(resume(2, "stopped").status, 0);
  expect_as_unbroken("stopped", run, true);
  // Then there is one model, which goes on on all ranks.
  ASSERT_EQ(resume(3, "stopped", {"--iterations", "310", "--checkpoint-every", "60s"}).status, 0);
  EXPECT_EQ(json("stopped/summary.json").at("iterations"), 310);
}

}  // namespace
}  // namespace tempera
