#include "drivers/commands/optimize/told_results.hpp"

#include <fmt/format.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "core/base/error.hpp"

namespace tempera::drivers {

namespace {

using Json = nlohmann::ordered_json;

ToldTrial read_line(const std::string& line, const ResultRules& rules) {
  const auto bad = [](const std::string& what) {
    return Error(Category::input, "", what, R"(a line says {"number": 3, "value": 0.5})");
  };
  Json json = Json::parse(line, nullptr, false);
  if (!json.is_object()) throw bad("is no JSON object");
  if (!json.contains("number") || !json["number"].is_number_integer()) throw bad("has no number of a trial");
  ToldTrial told;
  told.number = json["number"];
  double seconds = 0;
  if (json.contains("seconds") && json["seconds"].is_number()) seconds = json["seconds"];
  for (const char* name : {"number", "point", "seed", "seconds"}) json.erase(name);
  told.result = read_result(json.dump(), rules);
  told.result.seconds = seconds;
  if (told.result.status == TrialStatus::invalid) throw bad(told.result.reason);
  return told;
}

}  // namespace

std::vector<ToldTrial> read_results(const Scheduler& scheduler, const OptimizeProblem& problem,
                                    const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw Error(Category::input, file.string(), "cannot be read", "give a file with the results of trials");
  std::vector<ToldTrial> all;
  std::set<Index> numbers;
  Index number = 0;
  for (std::string line; std::getline(stream, line);) {
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    try {
      all.push_back(read_line(line, problem.rules()));
      const Index trial = all.back().number;
      check_told(scheduler, trial);
      if (!numbers.insert(trial).second)
        throw Error(Category::input, "", fmt::format("trial {} comes twice", trial), "tell each trial once");
    } catch (const Error& error) {
      throw Error(error.category(), fmt::format("{}:{}", file.string(), number), error.what_is_wrong(), error.hint());
    }
  }
  return all;
}

void tell_results(RunRecord& run, const std::vector<ToldTrial>& results) {
  for (const ToldTrial& told : results) tell_result(run, told.number, told.result);
  run.sync();
}

std::string request_line(const OptimizeProblem& problem, const TrialRequest& request) {
  const Json json = {
      {"number", request.number}, {"point", problem.space().to_json(request.point)}, {"seed", request.seed}};
  return json.dump() + "\n";
}

}  // namespace tempera::drivers
