#include "core/base/option_json.hpp"

#include <nlohmann/json.hpp>

#include "core/base/error.hpp"

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

/// As a person would write it on a command line.
std::string as_written(const nlohmann::ordered_json& json) {
  if (json.is_string()) return json.get<std::string>();
  if (!json.is_array()) return json.dump();
  std::string text;
  for (const auto& element : json) text += (text.empty() ? "" : ",") + as_written(element);
  return text;
}

OptionValue from_json(const Option& option, const nlohmann::ordered_json& json) {
  if (json.is_null()) return OptionValue();
  if (option.kind() == OptionKind::flag) return json.get<bool>();
  if (option.is_list()) return json.get<std::vector<std::string>>();
  if (option.kind() == OptionKind::path) return json.get<std::string>();  // an empty one too
  return option.parse(as_written(json));
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

void apply_json(OptionSchema& schema, const nlohmann::ordered_json& values, const std::string& origin) {
  for (const auto& [name, value] : values.items()) {
    Option* option = schema.find(name);
    if (option == nullptr) continue;
    try {
      option->assign(from_json(*option, value), origin);
    } catch (const std::exception& problem) {  // of the option, or of the JSON library
      throw Error(Category::usage, origin, name + ": " + problem.what(),
                  "the file was changed, or is of another version");
    }
  }
}

}  // namespace tempera
