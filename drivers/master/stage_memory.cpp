#include "drivers/master/stage_memory.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <numeric>

#include "core/base/text.hpp"
#include "core/io/tensor_file.hpp"
#include "core/sampling/targets/targets.hpp"
#include "core/tensor/factor_matrix.hpp"

namespace tempera::drivers {

namespace {

constexpr std::int64_t kSmallText = 4 << 20, kSmallGzip = 1 << 20;  // bytes that are read whole
constexpr std::size_t kSample = 64 << 10;                           // bytes of a larger text that tell its lines
constexpr double kGzipRatio = 4;                                    // of coordinates and counts, about
constexpr double kTreeCellBytes = 12;                               // of a nonzero in a tree: value, last index

double bytes_of_line(const TensorFile& file, int order) {
  if (file.format == TensorFile::Format::tns_gz) return 4.0 * (order + 1);
  std::ifstream stream(file.path, std::ios::binary);
  std::string text(kSample, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  const auto lines = std::count(text.begin(), text.end(), '\n');
  return lines == 0 ? static_cast<double>(text.size()) : static_cast<double>(text.size()) / static_cast<double>(lines);
}

InputSize look_at(const TensorFile& file, const TnsOptions& text) {
  const TensorFileInfo info = read_tensor_info(file, text);
  InputSize size{static_cast<double>(info.nonzeros), info.dense, info.order, info.shape};
  if (!file.is_text()) return size;
  const bool gzip = file.format == TensorFile::Format::tns_gz;
  if (info.file_bytes <= (gzip ? kSmallGzip : kSmallText)) {
    const AnyTensor tensor = read_tensor(file, {text});
    size.shape = shape_of(tensor);
    size.cells = static_cast<double>(std::get<SparseTensor>(tensor).nonzeros());
  } else {
    size.cells = static_cast<double>(info.file_bytes) * (gzip ? kGzipRatio : 1) / bytes_of_line(file, info.order);
  }
  return size;
}

double cells_bytes(const InputSize& size, double ranks) {
  return size.cells / ranks * (size.dense ? 8 : kTreeCellBytes * size.order);
}

/// Rows of each mode that a rank touches, at most.
std::pair<double, double> sum_and_most_rows(const InputSize& size, double ranks) {
  double sum = 0, most = 0;
  for (const Index mode : size.shape) {
    double rows = std::min(static_cast<double>(mode), size.cells / ranks);
    if (size.dense) rows = std::ceil(static_cast<double>(mode) / std::pow(ranks, 1.0 / size.order));
    sum += rows;
    most = std::max(most, rows);
  }
  return {sum, most};
}

StageMemory of_decompose(const DecomposeOptions& options, const InputSize& size, double ranks) {
  const double row = 8 * static_cast<double>(padded_columns(options.rank));
  const auto [sum, most] = sum_and_most_rows(size, ranks);
  const double copies = 1 + (options.extrapolation ? 1 : 0) + (options.restarts > 1 ? 1 : 0);
  // Product, rows on their way, the mode as it was before.
  return {cells_bytes(size, ranks) + row * (copies * sum + 3 * most), size.shape.empty()};
}

StageMemory of_sample(const SampleOptions& options, double ranks) {
  const auto target = make_target(options.target, options.settings);
  const double rounds = std::min(options.rounds, 40);
  const double chains = options.keep == "all" ? static_cast<double>(options.replicas.value_or(8)) : 1.0;
  const double draws = std::ldexp(1.0, static_cast<int>(rounds)) / static_cast<double>(options.thin);
  const double streams = std::ceil(static_cast<double>(options.copies) * chains / ranks);
  return {8.0 * static_cast<double>(target->dimension()) * draws * streams, false};
}

}  // namespace

std::string text_of(const StageMemory& memory) {
  if (!memory.bytes) return "unknown";
  return (memory.at_least ? "over " : "") + human_bytes(*memory.bytes);
}

StageMemory MemoryEstimator::estimate(EngineOptions& options, int ranks) {
  switch (options.engine()) {
    case Engine::decompose: {
      const DecomposeOptions& decompose = options.decompose();
      return of_decompose(decompose, size_of(decompose.input, decompose.dims, decompose.index_base), ranks);
    }
    case Engine::sample: {
      const SampleOptions& sample = options.sample();
      if (!sample.of_tensor()) return sample.data.empty() ? of_sample(sample, ranks) : StageMemory();
      const InputSize& size = size_of(sample.tensor, std::nullopt, sample.index_base);
      const auto [sum, most] = sum_and_most_rows(size, 1);
      return {cells_bytes(size, sample.ranks_per_replica) + 8 * static_cast<double>(sample.rank) * 4 * sum,
              size.shape.empty()};
    }
    case Engine::optimize: {
      const double trials = static_cast<double>(options.optimize().budget);
      return {options.optimize().has_model() ? 3 * 8 * trials * trials : 0, false};
    }
    case Engine::command: break;
  }
  return {};
}

const InputSize& MemoryEstimator::size_of(const std::string& input,
                                          const std::optional<std::vector<std::int64_t>>& dims,
                                          std::int64_t index_base) {
  const auto known = inputs_.find(input);
  if (known != inputs_.end()) return known->second;
  TnsOptions text;
  text.index_base = index_base;
  if (dims) text.dims.assign(dims->begin(), dims->end());
  return inputs_.emplace(input, look_at(TensorFile::parse(input), text)).first->second;
}

}  // namespace tempera::drivers
