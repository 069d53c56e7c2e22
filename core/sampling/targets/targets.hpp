#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/sampling/named_settings.hpp"
#include "core/sampling/target.hpp"
#include "core/sampling/targets/data_field.hpp"

namespace tempera {

/// A `key=value` that a built-in target understands.
struct TargetSetting : NamedSetting {
  bool simulation = false;  ///< describes simulated data: refused beside a data file
};

struct TargetDescription {
  std::string name;
  std::string summary;
  std::vector<TargetSetting> settings;
  std::vector<DataField> data;  ///< fields of its data file; empty: it takes none
};

/// All built-in targets, in the order in which help lists them.
std::vector<TargetDescription> describe_targets();

/// The JSON file of data that a target is given in place of its own; nothing: its own.
using DataFile = std::optional<std::filesystem::path>;

/// A built-in target by name.
/// @param settings  "key=value" each; what is not given keeps its default
/// @param data      its fields are those of the description, no others
/// @throws Error{Category::usage} for an unknown name or key, with the nearest known one, for a key given twice, for a
///         value of the wrong kind or out of range, for data where the target takes none, and beside data for a setting
///         of the simulated ones; Error{Category::input} for data that do not fit (see JsonData)
std::unique_ptr<Target> make_target(std::string_view name, std::span<const std::string> settings = {},
                                    const DataFile& data = std::nullopt);

/// Its exact log evidence, if a closed form is known. @throws as make_target does
std::optional<double> exact_log_evidence(std::string_view name, std::span<const std::string> settings = {},
                                         const DataFile& data = std::nullopt);

}  // namespace tempera
