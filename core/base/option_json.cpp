#include "core/base/option_json.hpp"

#include <nlohmann/json.hpp>

namespace tempera {

namespace {

nlohmann::ordered_json to_json(const Option& option) {
  const OptionValue value = option.value();
  if (std::holds_alternative<std::monostate>(value))
    return option.absent_word().empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(option.absent_word());
  if (option.kind() == OptionKind::duration) return format_option_value(option.kind(), value);
  return std::visit(
      [](const auto& held) -> nlohmann::ordered_json {
        if constexpr (std::is_same_v<std::decay_t<decltype(held)>, std::monostate>)
          return nullptr;
        else
          return held;
      },
      value);
}

}  // namespace

nlohmann::ordered_json options_to_json(const OptionSchema& schema) {
  nlohmann::ordered_json values = nlohmann::ordered_json::object();
  nlohmann::ordered_json set_by = nlohmann::ordered_json::object();
  for (const Option& option : schema.options()) {
    values[option.name()] = to_json(option);
    if (!option.set_by().empty()) set_by[option.name()] = option.set_by();
  }
  return {{"values", std::move(values)}, {"set_by", std::move(set_by)}};
}

}  // namespace tempera
