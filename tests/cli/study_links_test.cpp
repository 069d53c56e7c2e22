#include <cstdlib>
#include <map>

#include "distributed/tasks/task.hpp"
#include "drivers/master/links.hpp"
#include "drivers/master/option_message.hpp"
#include "drivers/master/ready_runs.hpp"
#include "tests/cli/study_fixture.hpp"

namespace tempera::test {
namespace {

using Json = nlohmann::ordered_json;
using drivers::InstanceResult;
using drivers::InstanceState;
using drivers::ReadyRuns;
using drivers::StudyGraph;
using StudyLinks = StudyFiles;

/// Results by the names of instances.
using Known = std::map<std::string, InstanceResult>;
drivers::Results from(const drivers::StudyGraph& graph, const Known& known) {
  return [&](std::size_t instance) -> const InstanceResult* {
    const auto found = known.find(graph.instances[instance].name);
    return found == known.end() ? nullptr : &found->second;
  };
}

std::size_t find(const drivers::StudyGraph& graph, const std::string& name) {
  for (std::size_t i = 0; i < graph.instances.size(); ++i)
    if (graph.instances[i].name == name) return i;
  ADD_FAILURE() << name;
  return 0;
}

/// The values of options after references are filled in; "written" ones as text.
Json resolved(const drivers::StudyGraph& graph, const std::string& name, const Known& known) {
  const drivers::Results results = from(graph, known);
  Json values = Json::object();
  for (const OptionEntry& entry : drivers::resolve(graph, find(graph, name), results)) values[entry.key] = entry.value;
  return values;
}

TEST_F(StudyLinks, ReferencesBecomeTheResultsTheyName) {
  ::setenv("TEMPERA_TEST_WORD", "a word", 1);
  const std::string space = "parameter = [{name = \"rank\", type = \"integer\", low = 1, high = 9}]\n";
  const drivers::StudyGraph all = graph(
      "[stage.search]\nengine = \"optimize\"\ncommand = \"true {rank} {{x}} {fit.rank}\"\n" + space +
      decompose_stage("fit") +
      decompose_stage(
          "again",
          "rank = \"search.best.rank\"\ninit = \"fit.factors\"\ntolerance = \"fit.fit\"\n"
          "damping = \"fit.fit\"\nextrapolation = \"fit.converged\"\n"
          "constraint = [\"l1:{fit.fit}\", \"nonnegative\"]\ncheckpoint-every = \"${TEMPERA_TEST_NO:-5}it\"\n") +
      command_stage("show", "",
                    "cat {fit.folder}/x {search.trials} ${TEMPERA_TEST_WORD} $${A} {{b}} {search.best.rank} {1}") +
      command_stage("deep", "", "echo {show.a.b} {show.a.b.c} {show.text}"));
  const Known known = {{"fit", {"/run/fit", {{"fit", 0.5}, {"rank", 3}, {"converged", true}}}},
                       {"search", {"/run/search", {{"best_point", {{"rank", 4}}}}}},
                       {"show", {"/run/show", {{"a", {{"b", 2}, {"b.c", 2.5}}}, {"text", "it's"}}}}};
  EXPECT_EQ(resolved(all, "search", known)["command"], "true {rank} {{x}} 3") << "the engine's braces stay";
  EXPECT_EQ(resolved(all, "again", known), (Json{{"input", (folder_ / "x.tns").string()},
                                                 {"rank", 4},
                                                 {"init", "/run/fit/factors.h5"},
                                                 {"tolerance", 0.5},
                                                 {"damping", "0.5"},
                                                 {"extrapolation", true},
                                                 {"constraint", {"l1:0.5", "nonnegative"}},
                                                 {"checkpoint-every", "5it"}}));
  EXPECT_EQ(resolved(all, "show", known)["command"], "cat /run/fit/x /run/search/trials.jsonl a word ${A} {b} 4 {1}");
  EXPECT_EQ(resolved(all, "deep", known)["command"], "echo 2 2.5 it's");
}

TEST_F(StudyLinks, AMissingResultIsRefusedAtItsLine) {
  const drivers::StudyGraph all = graph(command_stage("a") + decompose_stage("b", "rank = \"a.rank\"\n"));
  const auto message = [&](const Json& values) -> std::string {
    try {
      resolved(all, "b", {{"a", {"/run/a", values}}});
    } catch (const Error& error) {
      return error.where().substr(folder_.path().string().size() + 1) + ": " + error.what_is_wrong();
    }
    return "";
  };
  EXPECT_EQ(message({{"other", 1}}), "study.toml:7: rank: the results of 'a' have no 'rank'");
  EXPECT_EQ(message({{"rank", nullptr}}), "study.toml:7: rank: 'rank' of 'a' is null");
  EXPECT_EQ(message({{"rank", Json::object()}}), "study.toml:7: rank: 'rank' of 'a' is no value");
  EXPECT_EQ(message({{"rank", 3}}), "");
}

TEST_F(StudyLinks, SelectMeansTheBestThatEndedWellAndTheFirstOfEquals) {
  const std::string fit = decompose_stage("fit", "sweep.rank = [2, 3, 4, 5]\nselect.metric = \"fit\"\n");
  const std::string use = command_stage("use", "", "echo {fit.rank} {fit.sweep.rank} {fit[rank=2].fit}");
  const auto result = [](int rank, double value) { return InstanceResult{"/x", {{"rank", rank}, {"fit", value}}}; };
  const Known known = {
      {"fit[rank=2]", result(2, 0.5)}, {"fit[rank=3]", result(3, 0.9)}, {"fit[rank=4]", result(4, 0.9)}};
  const drivers::StudyGraph least = graph(fit + use);
  EXPECT_EQ(resolved(least, "use", known)["command"], "echo 2 2 0.5");
  const drivers::StudyGraph most = graph(fit + "select.direction = \"maximize\"\n" + use);
  EXPECT_EQ(resolved(most, "use", known)["command"], "echo 3 3 0.5");
  EXPECT_THROW(static_cast<void>(drivers::selected(most, 0, from(most, {}))), Error);
  const Known broken = {{"fit[rank=2]", {"/x", {{"fit", nullptr}}}}};
  EXPECT_THROW(static_cast<void>(drivers::selected(most, 0, from(most, broken))), Error);
}

TEST_F(StudyLinks, TrialsGetTheirPointAndTheResultsOfOthers) {
  const std::string space =
      "parameter = [{name = \"rank\", type = \"integer\", low = 1, high = 9}, {name = \"kind\", type = "
      "\"categorical\", "
      "choices = [\"l1\", \"ridge\"]}, {name = \"penalty\", type = \"real\", low = 1e-6, high = 1, when = \"kind == "
      "'l1'\"}]\n";
  const drivers::StudyGraph all = graph(
      command_stage("first") +
      "[stage.search]\nengine = \"optimize\"\nobjective.stage = \"factor\"\nobjective.metric = \"fit\"\n" + space +
      decompose_stage(
          "factor",
          "rank = \"{rank}\"\nconstraint = [\"nonnegative\", \"{kind}:{penalty}\"]\ntolerance = \"{penalty}\"\n"
          "iterations = \"first.sweeps\"\n"));
  const Known known = {{"first", {"/run/first", {{"sweeps", 12}}}}};
  const drivers::Results results = from(all, known);
  const std::size_t search = find(all, "search");
  ASSERT_EQ(all.waits_for[search].size(), 1u) << "through its trials";
  EXPECT_EQ(all.waits_for[search][0].stage, 0u);
  const auto options = [&](const nlohmann::json& point) {
    const auto entries = drivers::resolve_trial(all, search, point, results);
    const auto made = drivers::engine_options(all.study.stages[2], entries, 1);
    return made->decompose();
  };
  const drivers::DecomposeOptions active = options({{"rank", 4}, {"kind", "l1"}, {"penalty", 0.25}});
  EXPECT_EQ(active.rank, 4);
  EXPECT_EQ(active.constraints, (std::vector<std::string>{"nonnegative", "l1:0.25"}));
  EXPECT_EQ(active.tolerance, 0.25);
  EXPECT_EQ(active.iterations, 12);
  const drivers::DecomposeOptions inactive = options({{"rank", 5}, {"kind", "ridge"}});
  EXPECT_EQ(inactive.constraints, std::vector<std::string>{"nonnegative"});
  EXPECT_EQ(inactive.tolerance, drivers::DecomposeOptions().tolerance);
}

TEST_F(StudyLinks, TheSpaceOfAStageIsASpaceFile) {
  const std::string space =
      "[[parameter]]\nname = \"x\"\ntype = \"real\"\nlow = 1e-7\nhigh = 2.5\nscale = \"log\"\n"
      "[[parameter]]\nname = \"k\"\ntype = \"categorical\"\nchoices = [\"a \\\"b\\\"\", \"c\\\\d\"]\n"
      "[[constraint]]\nexpression = \"x <= 2\"\n";
  std::string inside = space;
  for (auto at = inside.find("[["); at != std::string::npos; at = inside.find("[[", at + 2))
    inside.insert(at + 2, "stage.s.");
  const drivers::StudyGraph all = graph("[stage.s]\nengine = \"optimize\"\ncommand = \"true\"\n" + inside);
  const SpaceFile direct = read_space_file(write_text(folder_ / "a.toml", space));
  const SpaceFile copied = read_space_file(write_text(folder_ / "b.toml", all.study.stages[0].space_text));
  EXPECT_EQ(direct.space.description(), copied.space.description());
  EXPECT_EQ(direct.space.description(), all.study.stages[0].space->space.description());
  const drivers::StudyGraph nested =
      graph(search_stage("objective.direction = \"maximize\"\n") + decompose_stage("factor", "rank = \"{rank}\"\n"));
  EXPECT_TRUE(
      read_space_file(write_text(folder_ / "c.toml", nested.study.stages[0].space_text)).objectives[0].maximise);
}

TEST_F(StudyLinks, OptionsComeThroughAMessageAsTheyWere) {
  const std::vector<OptionEntry> sent = {{"rank", 3, "a.toml:1"},
                                         {"tolerance", 0.1 + 0.2, "a.toml:2", false},
                                         {"constraint", {"l1:0.5", "nonnegative"}, "a.toml:3"},
                                         {"init", "a \"b\" \u00e9", "a.toml:4", true}};
  const auto received = from_blob<std::vector<OptionEntry>>(to_blob(sent));
  ASSERT_EQ(received.size(), sent.size());
  for (std::size_t k = 0; k < sent.size(); ++k) {
    EXPECT_EQ(received[k].key, sent[k].key);
    EXPECT_EQ(received[k].value, sent[k].value);
    EXPECT_EQ(received[k].value.is_number_integer(), sent[k].value.is_number_integer());
    EXPECT_EQ(received[k].where, sent[k].where);
    EXPECT_EQ(received[k].written, sent[k].written);
  }
}

enum class Decision { wait, ready, never };
/// Of a run, when those in these states have ended one after the other.
Decision decision(const StudyGraph& graph, const std::vector<InstanceState>& states, std::size_t instance) {
  ReadyRuns runs(graph, [](std::size_t) { return InstanceState::waiting; });
  for (std::size_t i = 0; i < states.size(); ++i)
    if (states[i] == InstanceState::done || states[i] == InstanceState::failed)
      runs.ended(i, states[i] == InstanceState::done);
  for (const ReadyRuns::Decided& decided : runs.take())
    if (decided.instance == instance) return decided.never ? Decision::never : Decision::ready;
  return Decision::wait;
}

TEST_F(StudyLinks, AnInstanceWaitsForAllItNeedsAndFailsWithIt) {
  const drivers::StudyGraph all =
      graph(decompose_stage("fit", "sweep.rank = [2, 3]\nselect.metric = \"fit\"\n") +
            command_stage("best", "", "echo {fit.fit}") + command_stage("every", "needs = [\"fit\"]\n") +
            command_stage("one", "", "echo {fit[rank=3].fit}"));
  using enum InstanceState;
  const auto ready = [&](const std::string& name, InstanceState two, InstanceState three) {
    const std::vector<InstanceState> states{two, three, waiting, waiting, waiting};
    return decision(all, states, find(all, name));
  };
  for (const char* name : {"best", "every"}) {
    EXPECT_EQ(ready(name, waiting, done), Decision::wait);
    EXPECT_EQ(ready(name, running, done), Decision::wait);
    EXPECT_EQ(ready(name, done, done), Decision::ready);
    EXPECT_EQ(ready(name, failed, failed), Decision::never);
  }
  EXPECT_EQ(ready("best", failed, done), Decision::ready);
  EXPECT_EQ(ready("best", failed, running), Decision::wait);
  EXPECT_EQ(ready("every", failed, running), Decision::never);
  EXPECT_EQ(ready("one", failed, done), Decision::ready);
  EXPECT_EQ(ready("one", done, waiting), Decision::wait);
  ReadyRuns runs(all, [](std::size_t) { return waiting; });
  EXPECT_EQ(runs.take().size(), 2u);
  runs.ended(1, false);
  EXPECT_EQ(runs.undecided(), 1u);
  EXPECT_THAT(runs.take(), testing::ElementsAre(ReadyRuns::Decided{find(all, "every"), true, 1},
                                                ReadyRuns::Decided{find(all, "one"), true, 1}));
  runs.ended(0, true);
  EXPECT_THAT(runs.take(), testing::ElementsAre(ReadyRuns::Decided{find(all, "best"), false, 0}));
}

}  // namespace
}  // namespace tempera::test
