#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/index.hpp"

namespace tempera {

/// What the indices of one mode stand for.
struct ModeLabels {
  std::string name;                 ///< of the mode, may be empty
  std::vector<std::string> labels;  ///< one an index; empty: the indices have no names
};
using TensorLabels = std::vector<ModeLabels>;  ///< one a mode

/// INPUT.labels.json
std::filesystem::path labels_path(const std::filesystem::path& tensor_path);

/// Reads `{"modes":[{"name":"first letter","labels":["a","b"]}, …]}`; a mode may lack either key.
/// @throws Error{input} with the line of a syntax error, for unknown keys or other types than these, and where modes
///         and labels are not as many as `shape` has
TensorLabels read_labels(const std::filesystem::path& path, std::span<const Index> shape);

/// The labels that lie beside a tensor, if there are any.
std::optional<TensorLabels> read_labels_beside(const std::filesystem::path& tensor_path, std::span<const Index> shape);

/// @throws Error{environment} if the disk is full; nothing is left behind then
void write_labels(const std::filesystem::path& path, const TensorLabels& labels);

}  // namespace tempera
