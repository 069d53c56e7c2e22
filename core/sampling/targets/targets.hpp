#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/sampling/target.hpp"

namespace tempera {

/// A `key=value` that a built-in target understands.
struct TargetSetting {
  std::string name;
  std::string default_value;
  std::string range;  ///< "at least 1", "" if any value will do
  std::string help;
};

struct TargetDescription {
  std::string name;
  std::string summary;
  std::vector<TargetSetting> settings;
};

/// All built-in targets, in the order in which help lists them.
std::vector<TargetDescription> describe_targets();

/// A built-in target by name. @param settings "key=value" each; what is not given keeps its default
/// @throws Error{Category::usage} for an unknown name or key, with the nearest known one, for a key given twice, and for
///         a value of the wrong kind or out of range
std::unique_ptr<Target> make_target(std::string_view name, std::span<const std::string> settings = {});

/// Its exact log evidence, if a closed form is known. @throws as make_target does
std::optional<double> exact_log_evidence(std::string_view name, std::span<const std::string> settings = {});

}  // namespace tempera
