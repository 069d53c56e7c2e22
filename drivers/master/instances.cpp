#include "drivers/master/instances.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "core/base/error.hpp"

namespace tempera::drivers {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMostInstances = 100'000;
constexpr std::size_t kLongestLabel = 40;  // of one value

/// Letters that are themselves in a file name, in a shell and between the brackets of a reference.
bool is_plain(const std::string& text) {
  return !text.empty() && text.size() <= kLongestLabel && text.front() != '.' &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return std::isalnum(c) != 0 ||
                  std::string_view("._+:@=-").find(static_cast<char>(c)) != std::string_view::npos;
         });
}

/// A value for people, if it is short and plain; of a path the last part.
std::string label_of(const Json& value) {
  std::string text;
  if (value.is_string()) {
    text = value.get<std::string>();
    if (!text.empty() && text.find('/') != std::string::npos) text = text.substr(text.rfind('/') + 1);
  } else if (value.is_array()) {
    for (const Json& item : value) text += (text.empty() ? "" : "+") + label_of(item);
  } else {
    text = value.dump();
  }
  return is_plain(text) ? text : "";
}

/// One for each value, all different: numbers from 1 where values make none.
std::vector<std::string> labels_of(const Sweep& sweep) {
  std::vector<std::string> labels;
  for (const Json& value : sweep.values) labels.push_back(label_of(value));
  std::vector<std::string> sorted = labels;
  std::sort(sorted.begin(), sorted.end());
  const bool good = !sorted.front().empty() && std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end();
  for (std::size_t k = 0; k < labels.size(); ++k) {
    if (!good) labels[k] = std::to_string(k + 1);
    labels[k].insert(0, sweep.key + "=");
  }
  return labels;
}

std::size_t count_of(const Stage& stage) {
  auto count = static_cast<std::size_t>(std::max(1, stage.repeat));
  for (const Sweep& sweep : stage.sweeps) {
    count *= sweep.values.size();
    if (count > kMostInstances)
      throw Error(Category::usage, sweep.where,
                  fmt::format("stage '{}' has more than {} instances", stage.name, kMostInstances),
                  "shorten the lists of the sweep");
  }
  return count;
}

}  // namespace

std::vector<Instance> expand(const Study& study) {
  std::vector<Instance> instances;
  for (std::size_t index = 0; index < study.stages.size(); ++index) {
    const Stage& stage = study.stages[index];
    if (study.is_template(index)) continue;
    std::vector<std::vector<std::string>> labels;
    for (const Sweep& sweep : stage.sweeps) labels.push_back(labels_of(sweep));
    const std::size_t count = count_of(stage);
    for (std::size_t number = 0; number < count; ++number) {
      Instance instance;
      instance.stage = index;
      std::size_t rest = number;
      std::string repeat;
      if (stage.repeat > 0) {
        const auto repeats = static_cast<std::size_t>(stage.repeat);
        instance.repeat = static_cast<int>(rest % repeats) + 1;
        rest /= repeats;
        repeat = fmt::format("repeat={}", instance.repeat);
      }
      for (std::size_t k = stage.sweeps.size(); k-- > 0;) {
        const Sweep& sweep = stage.sweeps[k];
        const std::size_t at = rest % sweep.values.size();
        rest /= sweep.values.size();
        instance.swept.insert(instance.swept.begin(), {sweep.key, sweep.values[at], sweep.where});
        instance.label.insert(0, labels[k][at] + (instance.label.empty() ? "" : ","));
      }
      if (!repeat.empty()) instance.label += (instance.label.empty() ? "" : ",") + repeat;
      instance.name = instance.label.empty() ? stage.name : fmt::format("{}[{}]", stage.name, instance.label);
      instance.folder = std::filesystem::path(stage.name) / instance.label;
      if (instance.label.empty()) instance.folder = stage.name;
      instances.push_back(std::move(instance));
    }
  }
  return instances;
}

std::vector<OptionEntry> options_of(const Study& study, const Instance& instance) {
  const Stage& stage = study.stages[instance.stage];
  std::vector<OptionEntry> options = stage.options;
  options.insert(options.end(), instance.swept.begin(), instance.swept.end());
  const auto seed =
      std::find_if(options.begin(), options.end(), [](const OptionEntry& option) { return option.key == "seed"; });
  if (seed == options.end()) {
    const std::string where = instance.repeat > 0 ? stage.repeat_where : study.seed_where;
    if (!where.empty()) options.push_back({"seed", study.seed + std::max(0, instance.repeat - 1), where});
  } else if (instance.repeat > 1 && seed->value.is_number_integer()) {
    seed->value = seed->value.get<std::int64_t>() + instance.repeat - 1;
  }
  return options;
}

}  // namespace tempera::drivers
