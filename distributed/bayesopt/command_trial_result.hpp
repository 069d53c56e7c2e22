#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/bayesopt/trial.hpp"

namespace tempera {

/// What a trial has to report.
struct ResultRules {
  std::string objective = "value";            ///< also its key under "values"
  bool maximise = false;                      ///< then the value of the result is minus the reported one
  std::vector<std::string> constraints = {};  ///< names, all of which must be there
};

/// What a line of a trial's output says: a number, or an object with `value` (or `values` with the objective's name), and
/// perhaps `cost`, `constraints` and `status` ("ok", or "failed" with a `reason`); other keys are for people.
/// @param line  without the end of line
/// @return status ok, failed, or invalid with the reason: no line, rubbish, two numbers, not finite, a constraint that is
///         missing or unknown, a key that is nearly one of those
TrialResult read_result(std::string_view line, const ResultRules& rules);

/// The last line that is not blank, without blanks around it; empty if there is none.
std::string_view last_line(std::string_view text);

/// At most 200 bytes of it for a message; what is no UTF-8 is replaced.
std::string excerpt(std::string_view text);

}  // namespace tempera
