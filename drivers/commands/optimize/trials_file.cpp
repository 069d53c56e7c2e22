#include "drivers/commands/optimize/trials_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>

#include "core/base/atomic_file.hpp"
#include "core/base/system_error.hpp"

namespace tempera::drivers {

using Json = nlohmann::ordered_json;

namespace {

Json number(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}

}  // namespace

Json trial_json(const OptimizeProblem& problem, const Scheduler& scheduler, const Trial& trial) {
  const TrialResult& result = trial.result;
  Json json = {{"number", trial.number}, {"status", name(result.status)}};
  if (result.status == TrialStatus::ok) json["value"] = problem.natural(result.value);
  json["point"] = problem.space().to_json(trial.point);
  if (!result.constraints.empty()) {
    json["constraints"] = Json::object();
    for (const auto& [key, value] : result.constraints) json["constraints"][key] = number(value);
  }
  if (std::isfinite(result.cost)) json["cost"] = result.cost;
  if (!result.reason.empty()) json["reason"] = result.reason;
  if (const Index retries = scheduler.retries(trial.number); retries > 0) json["retries"] = retries;
  json["why"] = scheduler.why(trial.number);
  json["seconds"] = result.seconds;
  return json;
}

TrialsFile::~TrialsFile() {
  close();
}

void TrialsFile::close() {
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
}

std::string TrialsFile::line_of(const Scheduler& scheduler, const Trial& trial) const {
  return trial_json(problem_, scheduler, trial).dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

void TrialsFile::begin(const std::filesystem::path& file, const Scheduler& scheduler) {
  close();
  file_ = file;
  std::string text;
  for (const Trial& trial : scheduler.finished()) text += line_of(scheduler, trial);
  write_file_atomically(file, text);
  descriptor_ = ::open(file.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  if (descriptor_ < 0) throw write_error(file, errno);
}

void TrialsFile::add(const Scheduler& scheduler, const Trial& trial) {
  if (const int error = write_all(descriptor_, line_of(scheduler, trial)); error != 0) throw write_error(file_, error);
}

}  // namespace tempera::drivers
