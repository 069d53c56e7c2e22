#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <vector>

#include "core/io/tensor_file.hpp"

namespace tempera {

struct ConvertOptions {
  enum class Layout { as_read, dense, sparse };

  Index index_base = 1;         ///< of text that is read
  Index output_index_base = 1;  ///< of text that is written
  std::vector<Index> dims{};    ///< sizes of a sparse input; empty: the largest indices, or what is stored
  bool overwrite = false;
  Layout layout = Layout::as_read;  ///< of the output; .npy is always dense
  bool drop_zeros = false;          ///< leave cells that are zero out of a sparse output
  bool drop_missing = false;        ///< leave NaN cells of a dense input out of a sparse output; else they are refused
  std::optional<double> memory_bytes{};  ///< most that a dense tensor may take; default: what the system has free
};

struct ConvertSummary {
  bool dense = false;
  std::vector<Index> shape;
  Index entries = 0;  ///< written: cells of a dense tensor, coordinates of a sparse one
  Index merged = 0;   ///< entries that were added to another one with the same coordinates
  Index zeros_dropped = 0;
  Index missing_dropped = 0;
  bool labels_written = false;  ///< INPUT.labels.json was there and lies beside the output now
};

/// Reads `input` and writes it as `output`; entries with equal coordinates are summed. Labels beside the input go with it.
/// A sparse tensor written as text keeps one line a nonzero, a dense one gets one a cell.
/// @throws Error{environment} if the output exists and is not to be overwritten, if its folder is missing, the disk full
///         or a dense tensor larger than the memory; Error{usage} for a layout the format cannot have; Error of the readers
ConvertSummary convert_tensor(const TensorFile& input, const TensorFile& output, const ConvertOptions& options);

/// Counts the n-grams of letters in texts (see ngrams.hpp) and writes them with their labels beside.
ConvertSummary convert_ngrams(std::span<const std::filesystem::path> texts, int n, const TensorFile& output,
                              const ConvertOptions& options);

}  // namespace tempera
