#include <cstdlib>

#include "tests/cli/study_fixture.hpp"
#include "tests/support/process.hpp"

namespace tempera::test {
namespace {

using StudyRefusal = StudyFiles;
using Cases = std::vector<std::pair<std::string, std::string>>;

TEST_F(StudyRefusal, OfTheFormHasTheLineAndTheKey) {
  for (const auto& [text, message] : Cases{
           {"", "study.toml: there are no stages\nhint: begin one with [stage.NAME]"},
           {"tilte = \"x\"\n" + command_stage("a"), "study.toml:1: unknown key 'tilte'\nhint: did you mean 'title'?"},
           {"title = 3\n" + command_stage("a"),
            "study.toml:1: title: text expected, not a number\nhint: see 'tempera help studies'"},
           {"seed = -1\n" + command_stage("a"),
            "study.toml:1: seed: -1 is out of range: from 0 to 9223372036854775807 expected\nhint: see 'tempera help "
            "studies'"},
           {"on_failure = \"stpo\"\n" + command_stage("a"),
            "study.toml:1: on_failure: 'stpo' is not one of continue, stop\nhint: did you mean 'stop'?"},
           {"[stage]\n", "study.toml:1: there are no stages\nhint: begin one with [stage.NAME]"},
           {"[stage]\na = 1\n",
            "study.toml:2: a: a table expected, not a number\nhint: begin a stage with [stage.NAME]"},
           {"[stage.\"a b\"]\nengine = \"command\"\n",
            "study.toml:1: 'a b' cannot be the name of a stage\nhint: names are made of letters, digits, _ and -"},
           {"\n[stage.a]\nranks = 1\n",
            "study.toml:2: 'engine' is missing\nhint: it is one of decompose, sample, optimize, command"},
           {"[stage.a]\nengine = \"decomopse\"\n",
            "study.toml:2: engine: 'decomopse' is not one of decompose, sample, optimize, command\nhint: did you mean "
            "'decompose'?"},
           {decompose_stage("a", "rnak = 4\n"), "study.toml:4: unknown key 'rnak'\nhint: did you mean 'rank'?"},
           {decompose_stage("a", "nedes = []\n"), "study.toml:4: unknown key 'nedes'\nhint: did you mean 'needs'?"},
           {decompose_stage("a", "zzzzzz = 4\n"),
            "study.toml:4: unknown key 'zzzzzz'\nhint: keys are those of 'tempera help studies' and the long options "
            "of "
            "'tempera decompose --help'"},
           {command_stage("a", "rank = 4\n"), "study.toml:4: unknown key 'rank'\nhint: did you mean 'ranks'?"},
           {command_stage("a", "needs = \"b\"\n"),
            "study.toml:4: needs: a list of stages such as [\"fit\"] expected, not text\nhint: see 'tempera help "
            "studies'"},
           {command_stage("a", "needs = [3]\n"),
            "study.toml:4: needs: the name of a stage expected, not a number\nhint: see 'tempera help studies'"},
           {command_stage("fit") + command_stage("b", "needs = [\"fti\"]\n"),
            "study.toml:7: needs: unknown stage 'fti'\nhint: did you mean 'fit'?"},
           {command_stage("fit") + command_stage("b", "needs = [\"other\"]\n"),
            "study.toml:7: needs: unknown stage 'other'\nhint: stages are fit, b"},
           {command_stage("a", "repeat = 0\n"),
            "study.toml:4: repeat: 0 is out of range: from 1 to 100000 expected\nhint: see 'tempera help studies'"},
           {command_stage("a", "sweep = 3\n"),
            "study.toml:4: sweep: a table expected, not a number\nhint: write sweep.rank = [4, 8, 16]"},
           {decompose_stage("a", "sweep.rank = 4\n"),
            "study.toml:4: sweep.rank: a list of values expected\nhint: such as sweep.rank = [4, 8, 16]"},
           {decompose_stage("a", "sweep.rank = [4, 8, 4]\n"),
            "study.toml:4: sweep.rank: 4 is there twice\nhint: name each value once"},
           {decompose_stage("a", "sweep.rnak = [4]\n"), "study.toml:4: unknown key 'rnak'\nhint: did you mean 'rank'?"},
           {decompose_stage("a", "rank = 3\nsweep.rank = [4]\n"),
            "study.toml:5: sweep.rank: 'rank' has a value too (study.toml:4)\nhint: leave out one of the two"},
           {command_stage("a", "sweep.timeout = ['1s']\nselect.direction = \"maximize\"\n"),
            "study.toml:5: 'metric' is missing\nhint: such as select.metric = \"fit\""},
           {command_stage("a", "select.metric = \"value\"\n"),
            "study.toml:4: select: the stage has one instance\nhint: leave it out, or add sweep.KEY or repeat"},
           {decompose_stage("a", "repeat = 2\nselect.metric = \"fti\"\n"),
            "study.toml:5: select.metric: a run of decompose has no result 'fti'\nhint: did you mean 'fit'?"},
           {decompose_stage("a", "repeat = 2\nselect.metric = \"stopped\"\n"),
            "study.toml:5: select.metric: 'stopped' is no number\nhint: name a number of the summary, such as \"fit\""},
           {decompose_stage("a", "parameter = []\n"),
            "study.toml:4: parameter: is for optimize stages\nhint: leave it out"}})
    EXPECT_EQ(refusal(text), message) << text;
  EXPECT_THAT(refusal("[stage.a\n"), testing::StartsWith("study.toml:1: "));
}

TEST_F(StudyRefusal, OfRanks) {
  const std::string hint = "\nhint: give a number of ranks (4), a share of the workers (\"50%\" or 0.5), or \"all\"";
  for (const auto& [value, message] : Cases{{"0", "0 is out of range: at least 1 expected"},
                                            {"\"half\"", "'half' is no number of ranks"},
                                            {"\"150%\"", "a share is above 0 and at most 1, or 100%"},
                                            {"0.0", "a share is above 0 and at most 1, or 100%"},
                                            {"true", "true or false is no number of ranks"}})
    EXPECT_EQ(refusal(command_stage("a", "ranks = " + value + "\n")), "study.toml:4: ranks: " + message + hint);
  EXPECT_EQ(
      refusal(command_stage("a", "ranks = 8\n"), 5),
      "study.toml:4: ranks: 8 worker ranks are asked for, but 5 MPI ranks are one master and 4 workers\nhint: start "
      "9 ranks, or see what would run on them: --dry-run --ranks 9");
  EXPECT_EQ(refusal(command_stage("a", "ranks = 4\n"), 5), "");
  EXPECT_EQ(refusal(command_stage("a", "ranks = 1\n"), 1), "");
}

TEST_F(StudyRefusal, OfWhatOnlyTheStudyMaySay) {
  for (const auto& [key, message] :
       Cases{{"output = \"x\"",
              "output: a stage's results have their place in the run folder of the study\nhint: leave it out: they "
              "are in RUN/stages, and 'tempera run --output RUN' says where RUN is"},
             {"overwrite = true",
              "overwrite: a stage's results have their place in the run folder of the study\nhint: leave it "
              "out: they are in RUN/stages, and 'tempera run --output RUN' says where RUN is"},
             {"checkpoint-dir = \"x\"",
              "checkpoint-dir: a stage's results have their place in the run folder of the study\nhint: "
              "leave it out: they are in RUN/stages, and 'tempera run --output RUN' says where RUN is"},
             {"time-limit = \"auto\"",
              "time-limit: auto is for the whole study\nhint: give the stage a duration such as 30m"},
             {"quiet = true",
              "quiet: what is printed is up to the study\nhint: say it to the study: tempera run --quiet"},
             {"config = \"x\"",
              "config: a stage has its options itself\nhint: write the keys of that file into the stage"}})
    EXPECT_EQ(refusal(decompose_stage("a", key + "\n")), "study.toml:4: " + message);
  EXPECT_EQ(refusal("[stage.a]\nengine = \"optimize\"\nobjective = \"branin\"\nask = 3\n"),
            "study.toml:4: ask: trials of a study are not run by hand\nhint: use 'tempera optimize' for it");
}

TEST_F(StudyRefusal, OfOptionsIsThatOfTheEngineAtTheLine) {
  const std::string see = "\nhint: see 'tempera decompose --help'";
  for (const auto& [text, message] : Cases{
           {decompose_stage("a", "rank = 0\n"), "study.toml:4: rank: 0 is out of range: at least 1 expected" + see},
           {decompose_stage("a", "rank = \"four\"\n"), "study.toml:4: rank: a whole number expected, not text" + see},
           {decompose_stage("a", "sweep.rank = [4, 2.5]\n"),
            "study.toml:4: rank: a whole number expected, not a number" + see},
           {decompose_stage("a", "loss = \"poisson\"\nsolver = \"hals\"\n"),
            "study.toml:5: solver: 'hals' is for --loss gaussian\nhint: counts are solved by mu or newton"},
           {decompose_stage("a", "constraint = [\"nonnegtive\"]\n"), "study.toml:4: constraint: "},
           {decompose_stage("a", "grid = \"3x2x1\"\n"),
            "study.toml:4: grid: grid 3x2x1 is for 6 MPI ranks, but 5 run\nhint: give one extent a mode that multiply "
            "to the "
            "number of MPI ranks, such as 2x2x1, or auto"},
           {decompose_stage("a", "start-groups = 6\n"),
            "study.toml:4: start-groups: 6 groups of 5 MPI ranks\nhint: a group has at least one rank: give a smaller "
            "number, or auto"},
           {decompose_stage("a", "checkpoint-every = \"often\"\n"), "study.toml:4: checkpoint-every: "},
           {"[stage.a]\nengine = \"decompose\"\n", "study.toml:1: input is missing\nhint: see 'tempera help studies'"},
           {"[stage.a]\nengine = \"decompose\"\ninput = \"y.tns\"\n",
            "study.toml:3: input: y.tns: no such file\nhint: check the path; it is relative to the folder of the study "
            "file"},
           {"[stage.a]\nengine = \"decompose\"\ninput = \"y.csv\"\n",
            "study.toml:3: input: y.csv: the extension names no tensor format\nhint: known are .tns .tns.gz .npy .h5 "
            ".hdf5 "
            "and FILE.h5:/PATH"},
           {decompose_stage("a", "init = \"start.h5\"\n"),
            "study.toml:4: init: start.h5: no such file\nhint: check the path; it is relative to the folder of the "
            "study file"},
           {"[stage.a]\nengine = \"sample\"\n",
            "study.toml:1: target: nothing to sample\nhint: give --target NAME (`tempera help targets` lists them) or "
            "--tensor "
            "INPUT --rank R"},
           {"[stage.a]\nengine = \"sample\"\ntarget = \"gausian\"\n", "study.toml:3: target: unknown target 'gausian'"},
           {"[stage.a]\nengine = \"sample\"\ntarget = \"gaussian\"\nset = [\"dmi=3\"]\n", "study.toml:4: set: "},
           {"[stage.a]\nengine = \"sample\"\ntarget = \"ising\"\nexplorer = \"nuts\"\n",
            "study.toml:4: explorer: nuts needs gradients"},
           {"[stage.a]\nengine = \"optimize\"\n",
            "study.toml:1: command: nothing to optimise\nhint: give SPACE.toml --command \"…\" or --objective NAME "
            "(`tempera "
            "help objectives` lists them)"},
           {"[stage.a]\nengine = \"optimize\"\nobjective = \"brannin\"\n",
            "study.toml:3: objective: unknown objective 'brannin'"},
           {"[stage.a]\nengine = \"optimize\"\nobjective = \"branin\"\nwarm-start = [\"none\"]\n",
            "study.toml:4: warm-start: none: no such run folder\nhint: name the folder of a run"},
           {"[stage.a]\nengine = \"optimize\"\nobjective = \"branin\"\nranks-per-trial = 9\n",
            "study.toml:4: ranks-per-trial: "},
           {"[stage.a]\nengine = \"command\"\n", "study.toml:1: command is missing\nhint: see 'tempera help studies'"},
           {command_stage("a", "", "./absent"), "study.toml:3: command: './absent' does not exist"},
           {command_stage("a", "", "no-such-program"),
            "study.toml:3: command: 'no-such-program' is not found in PATH\nhint: name a program in PATH, or give its "
            "path"},
           {command_stage("a", "", "'open"), "study.toml:3: command: a quote ' is not closed"},
           {command_stage("a", "timeout = 60\n"),
            "study.toml:4: timeout: a duration such as 60s, 30m or 2h expected, not a number\nhint: see 'tempera "
            "command --help'"}})
    EXPECT_THAT(refusal(text), testing::StartsWith(message)) << text;
  EXPECT_EQ(refusal(command_stage("a", "", "./tool {{x}} {1}")), "") << "programs lie beside the study";
}

TEST_F(StudyRefusal, OfReferences) {
  ::unsetenv("TEMPERA_NO_SUCH");
  const std::string fit = decompose_stage("fit");  // lines 1 to 3
  for (const auto& [text, message] :
       Cases{{fit + decompose_stage("b", "rank = \"fti.rank\"\n"),
              "study.toml:7: rank: unknown stage 'fti'\nhint: did you mean 'fit'?"},
             {fit + decompose_stage("b", "rank = \"fit.rnak\"\n"),
              "study.toml:7: rank: a run of decompose has no result 'rnak'\nhint: did you mean 'fit.rank'?"},
             {fit + decompose_stage("b", "rank = \"fit.seconds\"\n"),
              "study.toml:7: rank: a whole number expected, but 'fit.seconds' is a number\nhint: refer to another "
              "result, see 'tempera "
              "help studies'"},
             {fit + decompose_stage("b", "extrapolation = \"fit.rank\"\n"),
              "study.toml:7: extrapolation: true or false expected, but 'fit.rank' is a whole number\nhint: refer to "
              "another "
              "result, see 'tempera help studies'"},
             {fit + command_stage("b", "", "true {fti.fit}"),
              "study.toml:6: command: unknown stage 'fti'\nhint: did you mean 'fit'?"},
             {fit + command_stage("b", "", "true {other.x}"),
              "study.toml:6: command: unknown stage 'other'\nhint: braces that are meant are written {{other.x}}"},
             {fit + command_stage("b", "", "true {fit.draws}"),
              "study.toml:6: command: a run of decompose has no result 'draws'"},
             {fit + command_stage("b", "", "true {rank}"),
              "study.toml:6: command: {rank} stands for a parameter of trials, but this stage is no trial\nhint: name "
              "it by "
              "objective.stage of an optimize stage; braces that are meant are written {{rank}}"},
             {fit + command_stage("b", "", "true {fit[rank=3].fit}"),
              "study.toml:6: command: 'fit' has no instance [rank=3]\nhint: see 'tempera run STUDY.toml --dry-run' for "
              "their names"},
             {fit + command_stage("b", "", "true {fit.deviance}"),
              "study.toml:6: command: 'fit' has no deviance: its loss is gaussian\nhint: add loss = \"poisson\" to "
              "stage 'fit'"},
             {fit + command_stage("b", "", "true {fit.holdout.mean}"),
              "study.toml:6: command: 'fit' has no holdout.mean: nothing is held out\nhint: add holdout = 0.1 to stage "
              "'fit'"},
             {fit + command_stage("b", "", "true {fit.sweep.rank}"),
              "study.toml:6: command: 'fit' has no sweep.rank\nhint: see 'tempera help studies'"},
             {decompose_stage("fit", "sweep.rank = [2, 3]\n") + command_stage("b", "", "true {fit.fit}"),
              "study.toml:7: command: 'fit' has 2 instances, and nothing says which is meant\nhint: add select.metric "
              "= \"…\" to stage "
              "'fit', or write fit[rank=2].fit"},
             {command_stage("b", "", "true ${TEMPERA_NO_SUCH}"),
              "study.toml:3: command: the environment variable 'TEMPERA_NO_SUCH' is not set\nhint: export it, or give "
              "a default: "
              "${TEMPERA_NO_SUCH:-…}"},
             {command_stage("b", "", "true ${open"),
              "study.toml:3: command: a ${ is not closed\nhint: a ${ that is meant is written $${"},
             {command_stage("b", "", "true ${a b}"),
              "study.toml:3: command: 'a b' is no name of an environment variable\nhint: write ${NAME} or "
              "${NAME:-default}; a ${ that "
              "is meant is written $${"},
             {"[stage.o]\nengine = \"optimize\"\nobjective = \"branin\"\n" + command_stage("b", "", "true {o.best.x3}"),
              "study.toml:6: command: 'o' has no parameter 'x3'\nhint: did you mean 'o.best.x1'?"}})
    EXPECT_THAT(refusal(text), testing::StartsWith(message)) << text;
}

TEST_F(StudyRefusal, OfCycles) {
  EXPECT_EQ(refusal(command_stage("a", "needs = [\"b\"]\n") + command_stage("b", "", "true {a.value}")),
            "study.toml:7: stages need each other in a cycle: a -> b -> a\nhint: one of them has to come first");
  EXPECT_EQ(refusal(command_stage("a", "needs = [\"a\"]\n")),
            "study.toml:4: stages need each other in a cycle: a -> a\nhint: one of them has to come first");
  EXPECT_EQ(refusal(command_stage("x", "needs = [\"b\"]\n") + command_stage("b", "needs = [\"c\"]\n") +
                    command_stage("c", "needs = [\"d\"]\n") + command_stage("d", "needs = [\"b\"]\n")),
            "study.toml:16: stages need each other in a cycle: b -> c -> d -> b\nhint: one of them has to come first");
  EXPECT_EQ(refusal(search_stage() + decompose_stage("factor", "rank = \"{rank}\"\ninit = \"search.trials\"\n")),
            "study.toml:10: stages need each other in a cycle: search -> search\nhint: one of them has to come first")
      << "through its trials";
}

TEST_F(StudyRefusal, OfTrialsThatAreStages) {
  const std::string factor = decompose_stage("factor", "rank = \"{rank}\"\n");  // lines 6 to 9
  EXPECT_EQ(refusal(search_stage() + factor), "");
  const auto replaced = [](std::string text, const std::string& part, const std::string& by) {
    return text.replace(text.find(part), part.size(), by);
  };
  for (const auto& [text, message] : Cases{
           {replaced(search_stage(), "\"factor\"", "\"facter\"") + factor,
            "study.toml:3: objective.stage: unknown stage 'facter'\nhint: did you mean 'factor'?"},
           {replaced(search_stage(), ".metric", ".metrik") + factor,
            "study.toml:4: unknown key 'metrik'\nhint: did you mean 'metric'?"},
           {replaced(search_stage(), "objective.metric = \"fit\"\n", "") + factor,
            "study.toml:3: 'metric' is missing\nhint: objective.metric names a key of that stage's summary, such as "
            "\"fit\""},
           {replaced(search_stage(), "\"fit\"", "\"fti\"") + factor,
            "study.toml:4: objective.metric: a run of decompose has no result 'fti'\nhint: did you mean 'fit'?"},
           {replaced(search_stage(), "\"fit\"", "\"holdout.mean\"") + factor,
            "study.toml:4: objective.metric: 'factor' has no holdout.mean: nothing is held out\nhint: add holdout = "
            "0.1 to stage "
            "'factor'"},
           {search_stage("objective.direction = \"up\"\n") + factor,
            "study.toml:6: direction: 'up' is not one of minimize, maximize\nhint: see 'tempera help studies'"},
           {search_stage() + decompose_stage("factor", "rank = \"{rnak}\"\n"),
            "study.toml:9: rank: {rnak} names no parameter of 'search'\nhint: did you mean '{rank}'?"},
           {search_stage() + decompose_stage("factor", "rank = 3\n"),
            "study.toml:3: objective.stage: 'factor' does not use the parameter 'rank'\nhint: write {rank} in one of "
            "its options, or "
            "leave the parameter out"},
           {replaced(search_stage(), "low = 1", "low = 0") + factor,
            "study.toml:9: rank: 0 is out of range: at least 1 expected (at the point {\"rank\":0} of 'search')\nhint: "
            "see 'tempera "
            "decompose --help'"},
           {search_stage() + command_stage("factor"),
            "study.toml:3: objective.stage: 'factor' is a stage of command; a trial is one of decompose or "
            "sample\nhint: a program is "
            "tried by its command: command = \"…\" in place of objective.stage"},
           {search_stage("command = \"true\"\n") + factor,
            "study.toml:6: command: the trials are runs of 'factor' (objective.stage)\nhint: leave out one of the two"},
           {search_stage("timeout = \"3s\"\n") + factor, "study.toml:6: timeout: is for --command\nhint: leave it out"},
           {search_stage("constraint = [{name = \"c\"}]\n") + factor,
            "study.toml:1: constraint 'c': runs of 'factor' report no constraints\nhint: leave it out, or write it as "
            "an expression "
            "of the parameters"},
           {search_stage("constraint = [{expression = \"rank > 10\"}]\n") + factor,
            "study.toml:6: no point satisfies the constraints"},
           {replaced(search_stage(), "type = \"integer\", ", "") + factor,
            "study.toml:5: parameter 'rank': 'type' is missing"},
           {search_stage("space = \"s.toml\"\n") + factor,
            "study.toml:6: space: there are parameters in the stage too (study.toml:5)\nhint: leave out one of the "
            "two"},
           {replaced(search_stage(), "parameter = [{name = \"rank\", type = \"integer\", low = 1, high = 9}]",
                     "space = \"s.toml\"") +
                factor,
            "study.toml:5: space: s.toml: no such file"},
           {replaced(search_stage(), "parameter = [{name = \"rank\", type = \"integer\", low = 1, high = 9}]", "") +
                factor,
            "study.toml:1: the space of the trials is missing\nhint: add [[stage.search.parameter]] tables, or space = "
            "\"FILE\""},
           {search_stage() + factor + "ranks = 2\n",
            "study.toml:10: ranks: the runs of this stage are trials of 'search'\nhint: say ranks-per-trial in stage "
            "'search'"},
           {search_stage() + factor + "repeat = 2\n",
            "study.toml:10: repeat: the runs of this stage are trials of 'search'\nhint: leave it out"},
           {search_stage() + factor + command_stage("c", "needs = [\"factor\"]\n"),
            "study.toml:13: needs: 'factor' does not run on its own: its runs are trials of 'search'\nhint: name "
            "'search'"},
           {search_stage() + factor + command_stage("c", "", "true {factor.fit}"),
            "study.toml:12: command: 'factor' does not run on its own: its runs are trials of 'search'\nhint: refer to "
            "that stage, or "
            "to one that runs the best point again"}})
    EXPECT_THAT(refusal(text), testing::StartsWith(message)) << text;
}

TEST_F(StudyRefusal, OfTheCommandIsOneMessageAndLeavesNothing) {
  file(decompose_stage("a", "rank = 0\n"));
  const ProcessSettings here{.seconds = 60, .folder = folder_.path(), .environment = {}};
  const std::string message =
      "tempera: error: study.toml:4: rank: 0 is out of range: at least 1 expected\nhint: see 'tempera decompose "
      "--help'\n";
  for (const int ranks : {0, 3}) {
    const auto refused = tempera_ranks(ranks, {"run", "study.toml", "--dry-run"}, here);
    EXPECT_EQ(refused.status, 2);
    EXPECT_EQ(refused.out, "");
    EXPECT_EQ(occurrences(refused.err, message), 1) << refused.err;
  }
  const auto absent = tempera({"run", "absent.toml", "--dry-run"}, here);
  EXPECT_EQ(absent.status, 2);
  EXPECT_EQ(absent.err,
            "tempera: error: absent.toml: cannot be read: No such file or directory\nhint: check the path, which is "
            "relative to the working directory, and its permissions\n");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "runs"));
}

}  // namespace
}  // namespace tempera::test
