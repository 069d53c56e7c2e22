#include "core/io/labels.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/base/atomic_file.hpp"
#include "core/base/error.hpp"
#include "core/io/detail/byte_source.hpp"
#include "core/io/detail/json_text.hpp"
#include "core/io/input_file.hpp"

namespace tempera {

namespace {
using Json = nlohmann::ordered_json;

constexpr const char* kForm = R"(the form is {"modes":[{"name":"letter","labels":["a","b"]}]}, with one entry a mode)";

class LabelsReader {
 public:
  LabelsReader(const std::filesystem::path& path, std::span<const Index> shape) : path_(path.string()), shape_(shape) {}

  TensorLabels read(const std::string& text) const {
    const Json root = detail::parse_json(text, path_, kForm);
    check_keys(root, "the file", {"modes"});
    if (!root.contains("modes") || !root["modes"].is_array()) fail("modes is not a list");
    if (root["modes"].size() != shape_.size())
      fail(fmt::format("labels of {} modes for a tensor of order {}", root["modes"].size(), shape_.size()));
    TensorLabels labels;
    for (std::size_t mode = 0; mode < shape_.size(); ++mode) labels.push_back(read_mode(root["modes"][mode], mode));
    return labels;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const { throw Error(Category::input, path_, what, kForm); }

  void check_keys(const Json& object, const std::string& what, std::initializer_list<std::string_view> known) const {
    if (!object.is_object()) fail(what + " is not an object");
    for (const auto& item : object.items())
      if (std::find(known.begin(), known.end(), item.key()) == known.end())
        fail(fmt::format("unknown key \"{}\" in {}", item.key(), what));
  }
  ModeLabels read_mode(const Json& entry, std::size_t mode) const {
    const std::string what = fmt::format("mode {}", mode);
    check_keys(entry, what, {"name", "labels"});
    ModeLabels result;
    if (entry.contains("name")) {
      if (!entry["name"].is_string()) fail("the name of " + what + " is not a string");
      result.name = entry["name"].get<std::string>();
    }
    if (!entry.contains("labels")) return result;
    const Json& list = entry["labels"];
    if (!list.is_array() || !std::all_of(list.begin(), list.end(), [](const Json& label) { return label.is_string(); }))
      fail("the labels of " + what + " are not a list of strings");
    if (static_cast<Index>(list.size()) != shape_[mode])
      fail(fmt::format("{} labels for {}, whose size is {}", list.size(), what, shape_[mode]));
    result.labels = list.get<std::vector<std::string>>();
    return result;
  }

  std::string path_;
  std::span<const Index> shape_;
};

}  // namespace

std::filesystem::path labels_path(const std::filesystem::path& tensor_path) {
  return tensor_path.string() + ".labels.json";
}

TensorLabels read_labels(const std::filesystem::path& path, std::span<const Index> shape) {
  std::string text(static_cast<std::size_t>(check_input_file(path)), '\0');
  text.resize(detail::PositionedFile(path).read_at(0, text));
  return LabelsReader(path, shape).read(text);
}

std::optional<TensorLabels> read_labels_beside(const std::filesystem::path& tensor_path, std::span<const Index> shape) {
  const auto path = labels_path(tensor_path);
  if (std::error_code absent; !std::filesystem::exists(path, absent)) return std::nullopt;
  return read_labels(path, shape);
}

void write_labels(const std::filesystem::path& path, const TensorLabels& labels) {
  Json modes = Json::array();
  for (const auto& mode : labels) {
    Json entry = Json::object();
    if (!mode.name.empty()) entry["name"] = mode.name;
    if (!mode.labels.empty()) entry["labels"] = mode.labels;
    modes.push_back(std::move(entry));
  }
  write_file_atomically(path,
                        Json{{"modes", std::move(modes)}}.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace tempera
