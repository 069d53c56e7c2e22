#include <map>
#include <set>

#include "core/base/random_stream.hpp"
#include "drivers/master/instances.hpp"
#include "tests/cli/study_fixture.hpp"

namespace tempera::test {
namespace {

using Json = nlohmann::ordered_json;
using drivers::Instance;
using StudyExpansion = StudyFiles;

Json values_of(const drivers::Study& study, const Instance& instance) {
  Json values = Json::object();
  for (const OptionEntry& entry : drivers::options_of(study, instance)) values[entry.key] = entry.value;
  return values;
}

TEST_F(StudyExpansion, IsTheProductOfAllListsInTheirOrder) {
  RandomStream random(5, "expansion");
  for (int attempt = 0; attempt < 30; ++attempt) {
    const int ranks = 1 + static_cast<int>(4 * random.uniform()), losses = 1 + static_cast<int>(2 * random.uniform());
    const int repeats = static_cast<int>(4 * random.uniform());  // 0: none
    std::string text = "seed = 40\n" + decompose_stage("fit", "sweep.rank = [");
    for (int r = 1; r <= ranks; ++r) text += std::to_string(r) + ",";
    text += "]\nsweep.loss = [\"gaussian\"" + std::string(losses > 1 ? ", \"poisson\"" : "") + "]\n";
    if (repeats > 0) text += "repeat = " + std::to_string(repeats) + "\n";
    const drivers::StudyGraph all = graph(text);
    std::size_t at = 0;
    for (int r = 1; r <= ranks; ++r)
      for (int l = 0; l < losses; ++l)
        for (int k = 1; k <= std::max(1, repeats); ++k, ++at) {
          ASSERT_LT(at, all.instances.size());
          const std::string loss = l == 0 ? "gaussian" : "poisson";
          const std::string label =
              "rank=" + std::to_string(r) + ",loss=" + loss + (repeats > 0 ? ",repeat=" + std::to_string(k) : "");
          EXPECT_EQ(all.instances[at].name, "fit[" + label + "]");
          EXPECT_EQ(all.instances[at].folder, std::filesystem::path("fit") / label);
          const Json values = values_of(all.study, all.instances[at]);
          EXPECT_EQ(values, (Json{{"input", "x.tns"}, {"rank", r}, {"loss", loss}, {"seed", 40 + k - 1}}));
        }
    EXPECT_EQ(at, all.instances.size());
  }
}

TEST_F(StudyExpansion, FollowsTheOrderOfTheFile) {
  const drivers::StudyGraph all =
      graph(command_stage("z") + command_stage("m", "needs = [\"a\"]\n") + command_stage("a", "repeat = 2\n"));
  std::vector<std::string> names;
  for (const Instance& instance : all.instances) names.push_back(instance.name);
  EXPECT_EQ(names, (std::vector<std::string>{"z", "m", "a[repeat=1]", "a[repeat=2]"}));
}

TEST_F(StudyExpansion, NamesFitIntoAFolderAndAreAllDifferent) {
  for (const auto& [list, labels] : std::vector<std::pair<std::string, std::vector<std::string>>>{
           {"[\"a/x.tns\", \"b/y.tns\"]", {"input=x.tns", "input=y.tns"}},
           {"[\"a/x.tns\", \"b/x.tns\"]", {"input=1", "input=2"}},
           {"[\"a b\", \"c\"]", {"input=1", "input=2"}},
           {"[\"..\", \"c\"]", {"input=1", "input=2"}},
           {"[\"\", \"c\"]", {"input=1", "input=2"}}}) {
    const drivers::StudyGraph all = graph("[stage.fit]\nengine = \"decompose\"\nsweep.input = " + list + "\n");
    for (std::size_t k = 0; k < labels.size(); ++k) EXPECT_EQ(all.instances[k].label, labels[k]) << list;
  }
  const drivers::StudyGraph lists =
      graph(decompose_stage("fit",
                            "sweep.constraint = [[\"nonnegative\"], [\"l1:0.1\", \"nonnegative\"]]\n"
                            "sweep.tolerance = [1e-7, 0.5]\n"));
  EXPECT_EQ(lists.instances[0].name, "fit[constraint=nonnegative,tolerance=1e-07]");
  EXPECT_EQ(lists.instances[3].name, "fit[constraint=l1:0.1+nonnegative,tolerance=0.5]");
}

TEST_F(StudyExpansion, SeedsComeFromTheStageElseTheStudyAndCountTheRepeats) {
  const drivers::StudyGraph all = graph("seed = 7\n" + decompose_stage("a", "repeat = 2\nseed = 100\n") +
                                        decompose_stage("b", "repeat = 2\n") + decompose_stage("c"));
  std::vector<std::int64_t> seeds;
  for (const Instance& instance : all.instances) seeds.push_back(values_of(all.study, instance)["seed"]);
  EXPECT_EQ(seeds, (std::vector<std::int64_t>{100, 101, 7, 8, 7}));
  const drivers::StudyGraph none = graph(decompose_stage("a"));
  EXPECT_FALSE(values_of(none.study, none.instances[0]).contains("seed")) << "the engine's default holds";
}

TEST_F(StudyExpansion, OfTooManyIsRefused) {
  std::string list = "[0";
  for (int i = 1; i < 400; ++i) list += ", " + std::to_string(i);
  EXPECT_EQ(refusal(decompose_stage("a", "sweep.seed = " + list + "]\nsweep.iterations = " + list + "]\n")),
            "study.toml:5: stage 'a' has more than 100000 instances\nhint: shorten the lists of the sweep");
}

}  // namespace
}  // namespace tempera::test
