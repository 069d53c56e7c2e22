#include <set>

#include "drivers/master/stage_results.hpp"
#include "tests/cli/study_fixture.hpp"
#include "tests/support/process.hpp"

namespace tempera::test {
namespace {

using Json = nlohmann::json;
using drivers::Engine;
using drivers::ResultKind;
using StudyResults = StudyFiles;

/// All single values of a summary by their dotted keys; lists and nulls are none.
void flatten(const Json& value, const std::string& key, std::vector<std::pair<std::string, Json>>& flat) {
  if (value.is_object())
    for (const auto& [name, inner] : value.items()) flatten(inner, key.empty() ? name : key + "." + name, flat);
  else if (!value.is_array() && !value.is_null())
    flat.emplace_back(key, value);
}

ResultKind kind_of(const Json& value) {
  if (value.is_string()) return ResultKind::text;
  if (value.is_boolean()) return ResultKind::flag;
  return value.is_number_integer() ? ResultKind::whole : ResultKind::number;
}

/// Runs of one engine have the values that references to them may name, and no others.
void expect_known(const std::filesystem::path& folder, Engine engine,
                  const std::vector<std::vector<std::string>>& runs) {
  std::set<std::string_view> missing;
  for (const drivers::ResultKey& key : drivers::summary_keys(engine)) missing.insert(key.key);
  for (std::size_t k = 0; k < runs.size(); ++k) {
    std::vector<std::string> command = runs[k];
    const std::string name = std::string(drivers::name(engine)) + std::to_string(k);
    command.insert(command.end(), {"--quiet", "--output", name});
    const auto ended = tempera(command, {.seconds = 120, .folder = folder, .environment = {}});
    ASSERT_EQ(ended.status, 0) << ended.err;
    std::vector<std::pair<std::string, Json>> flat;
    flatten(Json::parse(read_text(folder / name / "summary.json")), "", flat);
    for (const auto& [key, value] : flat) {
      const drivers::ResultKey* found = nullptr;
      for (const drivers::ResultKey& known : drivers::summary_keys(engine)) {
        const std::size_t star = known.key.find('*');
        const bool same = star == std::string_view::npos
                              ? known.key == key
                              : key.starts_with(known.key.substr(0, star)) && key.ends_with(known.key.substr(star + 1));
        if (same) found = &known;
      }
      EXPECT_TRUE(found != nullptr) << name << " has a key that references cannot name: " << key;
      if (found == nullptr) continue;
      missing.erase(found->key);
      const bool fits = found->kind == ResultKind::any || found->kind == kind_of(value) ||
                        (found->kind == ResultKind::number && kind_of(value) == ResultKind::whole);
      EXPECT_TRUE(fits) << name << ": " << key << " is " << value;
    }
  }
  for (const std::string_view key : missing) ADD_FAILURE() << drivers::name(engine) << ": no run has " << key;
}

TEST_F(StudyResults, OfDecomposeAreTheKeysOfItsSummary) {
  expect_known(
      folder_.path(), Engine::decompose,
      {{"decompose", "x.tns", "--rank", "1", "--iterations", "3", "--holdout", "0.2", "--missing", "unobserved"},
       {"decompose", "x.tns", "--rank", "1", "--iterations", "3", "--holdout", "0.2", "--loss", "poisson"}});
}

TEST_F(StudyResults, OfSampleAreTheKeysOfItsSummary) {
  const std::vector<std::string> tensor = {"sample",   "--tensor", "x.tns",     "--rank", "1",
                                           "--rounds", "3",        "--holdout", "0.2"};
  const auto with = [&](const std::vector<std::string>& more) {
    std::vector<std::string> all = tensor;
    all.insert(all.end(), more.begin(), more.end());
    return all;
  };
  expect_known(
      folder_.path(), Engine::sample,
      {with({}),
       with({"--likelihood", "poisson"}),
       with({"--noise-sd", "1"}),
       {"sample", "--target", "gaussian", "--rounds", "3", "--copies", "2", "--keep", "all", "--explorer", "nuts"}});
}

TEST_F(StudyResults, OfOptimizeAreTheKeysOfItsSummary) {
  expect_known(folder_.path(), Engine::optimize,
               {{"optimize", "--objective", "branin", "--budget", "4", "--hyperparameters", "map"}});
}

}  // namespace
}  // namespace tempera::test
