#pragma once

#include <limits>
#include <map>
#include <string>
#include <vector>

#include "core/base/index.hpp"
#include "core/bayesopt/space.hpp"

namespace tempera {

enum class TrialStatus { ok, failed, timeout, crashed, invalid, cancelled, lost };

/// What an evaluation gave.
struct TrialResult {
  TrialStatus status = TrialStatus::ok;
  double value = std::numeric_limits<double>::quiet_NaN();  ///< to be minimised; finite if ok
  std::map<std::string, double> constraints;                ///< of the trial's report; a constraint holds if ≤ 0
  double cost = std::numeric_limits<double>::quiet_NaN();   ///< as reported; else NaN
  double seconds = 0;
  std::string reason;  ///< why it is not ok, for people
};

/// A point that is being tried.
struct PendingTrial {
  Index number = 0;  ///< of the proposal, from 0
  Point point;
};

/// A point that was tried.
struct Trial {
  Index number = 0;
  Point point;
  TrialResult result;
  Index known = 0;  ///< finished trials that its proposal knew: the first so many
};

}  // namespace tempera
