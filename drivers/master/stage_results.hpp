#pragma once

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/master/study.hpp"
#include "drivers/master/study_text.hpp"

namespace tempera::drivers {

/// What a value of a run's results is; `any`: only the run can tell.
enum class ResultKind { whole, number, text, flag, any };

struct ResultKey {
  std::string_view key;  ///< of summary.json, dotted; "*" stands for one name
  ResultKind kind;
};
/// The single values in the summary of an engine's runs; none for commands, which print what they like.
std::span<const ResultKey> summary_keys(Engine engine);

/// What a reference to a stage may name, checked as far as it is known before anything runs.
/// @throws Error{usage} without a place: keys that the engine does not have (with the nearest), or not with these options
ResultKind result_kind(const Study& study, std::size_t stage, const std::string& key);
/// The same for a number that runs are compared by: `select.metric`, `objective.metric`. @throws Error{usage} also for texts
void check_metric(const Study& study, std::size_t stage, const std::string& metric);

/// What an instance that has ended well left.
struct InstanceResult {
  std::filesystem::path folder;   ///< its run folder
  nlohmann::ordered_json values;  ///< summary.json; of a command the object in the last line that it printed
};

/// Looks a result up. @throws Error{input} without a place if it is not there, is null, or is no single value
nlohmann::ordered_json result_of(const Stage& stage, const InstanceResult& result, const std::string& key);
/// A metric of it. @throws Error{input} also if it is no finite number
double metric_of(const Stage& stage, const InstanceResult& result, const std::string& metric);

}  // namespace tempera::drivers
