#include "core/sampling/named_settings.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <stdexcept>

#include "core/base/error.hpp"
#include "core/base/text.hpp"

namespace tempera {

std::vector<NamedSetting> describe_settings(const OptionSchema& schema) {
  std::vector<NamedSetting> settings;
  for (const Option& option : schema.options()) {
    const bool absent = std::holds_alternative<std::monostate>(option.default_value());
    settings.push_back({option.name(),
                        absent ? option.absent_word() : format_option_value(option.kind(), option.default_value()),
                        option.range_text(), option.help()});
  }
  return settings;
}

void apply_setting(OptionSchema& schema, std::string_view setting, std::string_view kind, std::string_view where) {
  const std::size_t sign = setting.find('=');
  const std::string key(setting.substr(0, sign));
  Option* option = schema.find(key);
  const bool turns_on = sign == std::string_view::npos && option != nullptr && option->kind() == OptionKind::flag;
  const auto refuse = [&](std::string problem, std::string hint = {}) {
    throw Error(Category::usage, std::string(where), std::move(problem), std::move(hint));
  };
  if (sign == std::string_view::npos && option != nullptr && !turns_on)
    refuse(fmt::format("'{}' is not of the form key=value", setting));
  if (option == nullptr) {
    std::vector<std::string> names;
    for (const Option& known : schema.options()) names.push_back(known.name());
    const auto nearest = nearest_name(key, names);
    const std::string known =
        names.empty() ? "it has no settings" : fmt::format("its settings are {}", fmt::join(names, ", "));
    refuse(fmt::format("{} {} has no setting '{}'", kind, schema.command(), key),
           nearest ? fmt::format("did you mean '{}'?", *nearest) : known);
  }
  if (!option->set_by().empty()) refuse(fmt::format("{} is given twice", key));
  try {
    option->assign(turns_on ? OptionValue(true) : option->parse(setting.substr(sign + 1)), std::string(where));
  } catch (const std::invalid_argument& problem) {
    refuse(fmt::format("{}: {}", key, problem.what()));
  }
}

std::size_t find_named(std::string_view name, std::span<const std::string> names, std::string_view kind,
                       std::string_view where) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  const auto nearest = nearest_name(name, names);
  throw Error(
      Category::usage, std::string(where), fmt::format("unknown {} '{}'", kind, name),
      nearest ? fmt::format("did you mean '{}'?", *nearest) : fmt::format("{}s are {}", kind, fmt::join(names, ", ")));
}

}  // namespace tempera
