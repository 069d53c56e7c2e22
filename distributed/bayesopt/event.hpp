#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/bayesopt/trial.hpp"
#include "core/bayesopt/warm_start.hpp"

namespace tempera {

/// What happens in an optimisation, in the order in which it happens: the state of a run is what its events make of an
/// empty one.

/// The first of all: what is searched, and the options that make the result what it is.
struct BeginEvent {
  nlohmann::ordered_json space;
  nlohmann::ordered_json configuration;
};
/// After that: the trials of another run, which proposals may learn from. So that run is not needed again.
struct WarmStartEvent {
  SourceTrials source;
};
/// A process takes up the work: whatever was running is to be tried again.
struct SessionEvent {
  Index workers = 1;
};
/// A point was chosen; an empty one: there is none that is not tried or on its way, and the number stays free.
struct ProposeEvent {
  Index number = 0;
  Point point;
  nlohmann::ordered_json why;
  Index known = 0;             ///< results that counted when the choice began: it knows the first so many
  std::vector<Index> pending;  ///< numbers of the trials that were on their way then
  double proposing_seconds = 0;
};
/// A worker was told to try it.
struct StartEvent {
  Index number = 0;
  Index attempt = 0;
  Index worker = 0;
};
struct ResultEvent {
  Index number = 0;
  Index attempt = 0;
  TrialResult result;
};
/// The process ends its work.
struct StopEvent {
  std::string reason;
};
using Event = std::variant<BeginEvent, WarmStartEvent, SessionEvent, ProposeEvent, StartEvent, ResultEvent, StopEvent>;

/// "ok", "failed", "timeout" …
std::string_view name(TrialStatus status);
/// @throws Error{input} for another word
TrialStatus trial_status(std::string_view name);

/// One object, its kind under "event". Numbers come back to the bit; a value that is not finite is null.
nlohmann::ordered_json to_json(const Event& event);
/// @throws nlohmann::json::exception or Error{input} if it is none
Event event_from_json(const nlohmann::ordered_json& json);

}  // namespace tempera
