#include "distributed/tensor/load.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <fstream>
#include <functional>
#include <limits>

#include "core/base/error.hpp"
#include "core/base/memory.hpp"
#include "core/base/sha256.hpp"
#include "core/base/text.hpp"
#include "core/io/hdf5_file.hpp"
#include "core/io/input_file.hpp"
#include "core/io/npy.hpp"
#include "core/io/tensor_file.hpp"
#include "core/io/tns.hpp"

namespace tempera {

namespace {

/// The shape is not known before the last line of the last rank: blocks of text carry the order only.
constexpr Index kUnknownSize = std::numeric_limits<Index>::max();

constexpr Index kBlockNonzeros = Index{1} << 19;  // an array of them takes two huge pages

/// Largest index of each mode plus one over all ranks, or the declared sizes.
std::vector<Index> agreed_shape(const Communicator& communicator, std::vector<Index> extents, int order,
                                const std::vector<Index>& dims) {
  extents.resize(static_cast<std::size_t>(order), 0);
  communicator.all_reduce(std::span<Index>(extents), Reduction::maximum);
  return dims.empty() ? extents : dims;
}

struct TextTensor {
  std::vector<Index> shape;
  std::vector<SparseTensor> blocks;
};

TextTensor read_text_ranges(const Communicator& communicator, const std::filesystem::path& path, TnsOptions options) {
  std::int64_t size = 0;
  if (communicator.is_root()) {
    options.order = tns_order(path, options);
    size = check_input_file(path);
  }
  options.order = communicator.broadcast_value(options.order, 0);
  size = communicator.broadcast_value(size, 0);
  const auto cut = [&](int rank) {
    return size / communicator.size() * rank + std::min<std::int64_t>(rank, size % communicator.size());
  };
  TnsReader reader(path, cut(communicator.rank()), cut(communicator.rank() + 1), options);
  TextTensor text;
  // The shortest row is a digit and a separator a column.
  const std::int64_t shortest = 2 * (options.order + 1);
  std::int64_t rows_left = (cut(communicator.rank() + 1) - cut(communicator.rank())) / shortest + 1;
  const auto in_one_read = static_cast<Index>(options.block_bytes) / shortest + 1;
  for (bool more = true; more;) {
    TnsChunk chunk;
    chunk.reserve(options.order, std::min<Index>(kBlockNonzeros, rows_left) + in_one_read);
    while (chunk.nonzeros() < kBlockNonzeros && (more = reader.append(chunk))) {
    }
    rows_left -= chunk.nonzeros();
    if (chunk.nonzeros() > 0 && !reader.state().error())
      text.blocks.push_back(chunk.take(std::vector<Index>(static_cast<std::size_t>(options.order), kUnknownSize)));
  }
  const Index lines_before = communicator.exclusive_sum(reader.state().lines());
  // The lowest rank with an error speaks for all: its line is the first bad one of the file.
  if (reader.state().error()) throw tns_error(path, *reader.state().error(), lines_before);
  text.shape = agreed_shape(communicator, reader.state().extents(), options.order, options.dims);
  return text;
}

TextTensor read_compressed_text(const Communicator& communicator, const std::filesystem::path& path,
                                TnsOptions options) {
  const auto ranks = static_cast<std::size_t>(communicator.size());
  std::unique_ptr<TnsReader> reader;
  if (communicator.is_root()) {
    options.order = tns_order(path, options);
    reader = std::make_unique<TnsReader>(path, options);
  }
  options.order = communicator.broadcast_value(options.order, 0);
  const auto order = static_cast<std::size_t>(options.order), words = order + 1;
  TextTensor text;
  bool more = true;
  while (more) {
    std::vector<Index> send, counts(ranks, 0);
    more = false;
    if (reader) {
      TnsChunk chunk;
      for (std::size_t q = 0; q < ranks && reader->next(chunk); ++q) {
        more = true;
        counts[q] = chunk.nonzeros() * static_cast<Index>(words);
        for (std::size_t k = 0; k < static_cast<std::size_t>(chunk.nonzeros()); ++k) {
          for (std::size_t mode = 0; mode < order; ++mode) send.push_back(chunk.indices(static_cast<int>(mode))[k]);
          send.push_back(std::bit_cast<Index>(chunk.values()[k]));
        }
      }
      if (reader->state().error()) throw tns_error(path, *reader->state().error(), 0);
    }
    const auto mine = communicator.all_to_all(std::span<const Index>(send), std::span<const Index>(counts));
    if (!mine.empty()) {
      std::vector<LargeVector<Index>> indices(order);
      LargeVector<double> values;
      for (std::size_t k = 0; k < mine.size(); k += words) {
        for (std::size_t mode = 0; mode < order; ++mode) indices[mode].push_back(mine[k + mode]);
        values.push_back(std::bit_cast<double>(mine[k + order]));
      }
      text.blocks.emplace_back(std::vector<Index>(order, kUnknownSize), std::move(indices), std::move(values));
    }
    more = communicator.broadcast_value(static_cast<int>(more), 0) != 0;
  }
  text.shape = agreed_shape(communicator, reader ? reader->state().extents() : std::vector<Index>(), options.order,
                            options.dims);
  return text;
}

TextTensor read_text(const Communicator& communicator, const TensorFile& file, const LoadOptions& options) {
  TnsOptions text_options;
  text_options.index_base = options.index_base;
  text_options.dims = options.dims;
  return file.can_be_read_in_parts() ? read_text_ranges(communicator, file.path, text_options)
                                     : read_compressed_text(communicator, file.path, text_options);
}

/// The cells of a dense block that are not NaN, with their coordinates in the whole tensor. The block is used up.
SparseTensor observed_cells(DenseTensor block, const DenseBlock& place, const std::vector<Index>& shape) {
  SparseTensor observed(shape);
  std::vector<Index> local(shape.size(), 0), cell(shape.size());
  if (block.size() == 0) return observed;
  const auto count =
      std::count_if(block.values().begin(), block.values().end(), [](double value) { return !std::isnan(value); });
  observed.reserve(count);
  std::size_t k = 0;
  do {
    const double value = block.values()[k++];
    if (std::isnan(value)) continue;
    for (std::size_t mode = 0; mode < shape.size(); ++mode) cell[mode] = place.offsets[mode] + local[mode];
    observed.append(cell, value);
  } while (next_cell(local, block.shape()));
  return observed;
}

DenseTensor read_dense_block(const TensorFile& file, const ProcessGrid& grid, const DenseBlock& place,
                             bool allow_missing) {
  if (!grid.active()) return DenseTensor(place.extents);
  return file.format == TensorFile::Format::npy
             ? read_npy_block(file.path, read_npy_header(file.path), place.offsets, place.extents, {allow_missing})
             : read_hdf5_block(file.path, file.object, place.offsets, place.extents, allow_missing);
}

/// Collective.
bool has_missing_cells(const Communicator& communicator, const DenseTensor& block) {
  const bool missing =
      std::any_of(block.values().begin(), block.values().end(), [](double value) { return std::isnan(value); });
  return communicator.all_reduce_value(missing ? 1 : 0, Reduction::maximum) > 0;
}

/// Where cells may be missing, NaN stands for those; if there are any, the others are kept as coordinates.
std::unique_ptr<DistributedTensor> load_dense(const Communicator& communicator, const TensorFile& file,
                                              const std::vector<Index>& shape, const LoadOptions& options) {
  ProcessGrid grid = choose_dense_grid(communicator, shape, options.distribution.grid);
  const DenseBlock place = dense_block(grid, shape);
  const bool allow_missing = options.distribution.missing == Missing::unobserved;
  DenseTensor block = read_dense_block(file, grid, place, allow_missing);
  if (allow_missing && has_missing_cells(communicator, block)) {
    std::vector<SparseTensor> blocks;
    blocks.push_back(observed_cells(std::move(block), place, shape));
    return distribute(communicator, shape, std::move(blocks), options.distribution);
  }
  return distribute(std::move(grid), shape, std::move(block), options.distribution.holdout,
                    options.distribution.threads);
}

std::vector<SparseTensor> read_sparse_hdf5(const Communicator& communicator, const TensorFile& file, std::size_t order,
                                           Index nonzeros) {
  constexpr Index kBlock = Index{1} << 18;
  const auto cut = [&](int rank) {
    return nonzeros / communicator.size() * rank + std::min<Index>(rank, nonzeros % communicator.size());
  };
  // The file claims the number: compare with the memory before the first block, not after most of them.
  const double needed = 8.0 * static_cast<double>(order + 1) *
                        static_cast<double>(cut(communicator.rank() + 1) - cut(communicator.rank()));
  if (needed > available_memory())
    throw Error(Category::environment, file.path.string(),
                fmt::format("the share of one MPI rank takes {}, {} are available", human_bytes(needed),
                            human_bytes(available_memory())),
                "use more nodes");
  std::vector<SparseTensor> blocks;
  for (Index first = cut(communicator.rank()), end = cut(communicator.rank() + 1); first < end; first += kBlock)
    blocks.push_back(read_hdf5_nonzeros(file.path, file.object, first, std::min(kBlock, end - first)));
  return blocks;
}

/// Declared sizes may enlarge a stored sparse shape; a dense array has the sizes it has.
std::vector<Index> enlarged(const TensorFile& file, const TensorFileInfo& info, const std::vector<Index>& dims) {
  if (dims.empty()) return info.shape;
  const bool fits = dims.size() == info.shape.size() &&
                    (info.dense ? dims == info.shape
                                : std::equal(dims.begin(), dims.end(), info.shape.begin(), std::greater_equal<>()));
  if (!fits)
    throw Error(
        Category::shape, file.path.string(),
        fmt::format("--dims {} does not fit the stored shape {}", fmt::join(dims, ","), fmt::join(info.shape, ",")),
        info.dense ? "a dense tensor has the sizes it is stored with: leave --dims out"
                   : "sizes may enlarge a tensor, never cut it");
  return dims;
}

/// Rank 0 reads the header for all, so that thousands of ranks do not open the file only to find the same defect.
TensorFileInfo shared_info(const Communicator& communicator, const TensorFile& file, const LoadOptions& options) {
  TensorFileInfo info;
  if (communicator.is_root()) {
    info = read_tensor_info(file);
    info.shape = enlarged(file, info, options.dims);
  }
  info.order = communicator.broadcast_value(info.order, 0);
  info.shape.resize(static_cast<std::size_t>(info.order));
  communicator.broadcast(std::span<Index>(info.shape), 0);
  info.dense = communicator.broadcast_value(static_cast<int>(info.dense), 0) != 0;
  info.nonzeros = communicator.broadcast_value(info.nonzeros, 0);
  return info;
}

}  // namespace

std::unique_ptr<DistributedTensor> load_tensor(const Communicator& communicator, const std::string& name,
                                               const LoadOptions& options) {
  const auto region = communicator.regions().open("load");
  const TensorFile file = TensorFile::parse(name);
  if (file.is_text()) {
    TextTensor text = read_text(communicator, file, options);
    return distribute(communicator, text.shape, std::move(text.blocks), options.distribution);
  }
  const TensorFileInfo info = shared_info(communicator, file, options);
  if (info.dense) return load_dense(communicator, file, info.shape, options);
  return distribute(communicator, info.shape, read_sparse_hdf5(communicator, file, info.shape.size(), info.nonzeros),
                    options.distribution);
}

TensorContent read_tensor(const Communicator& communicator, const std::string& name, const LoadOptions& options) {
  const TensorFile file = TensorFile::parse(name);
  TensorContent content;
  if (file.is_text()) {
    TextTensor text = read_text(communicator, file, options);
    content = {std::move(text.shape), false, std::move(text.blocks)};
  } else {
    const TensorFileInfo info = shared_info(communicator, file, options);
    content = {info.shape, info.dense, {}};
    if (!info.dense) content.blocks = read_sparse_hdf5(communicator, file, info.shape.size(), info.nonzeros);
    if (info.dense && options.distribution.missing == Missing::unobserved) {
      const ProcessGrid grid = choose_dense_grid(communicator, info.shape);
      const DenseBlock place = dense_block(grid, info.shape);
      DenseTensor block = read_dense_block(file, grid, place, true);
      content.dense = !has_missing_cells(communicator, block);
      if (!content.dense) content.blocks.push_back(observed_cells(std::move(block), place, info.shape));
    }
  }
  check_shape(content.shape, content.dense);
  return content;
}

std::string sha256_of_file(const Communicator& communicator, const std::filesystem::path& path) {
  const auto region = communicator.regions().open("hash input");
  std::int64_t size = communicator.is_root() ? check_input_file(path) : 0;
  size = communicator.broadcast_value(size, 0);
  Sha256 digest;
  for (int rank = 0; rank < communicator.size(); ++rank) {
    if (rank == communicator.rank()) {
      const auto cut = [&](int r) {
        return size / communicator.size() * r + std::min<std::int64_t>(r, size % communicator.size());
      };
      std::ifstream stream(path, std::ios::binary);
      stream.seekg(cut(rank));
      std::vector<char> buffer(std::size_t{1} << 20);
      for (std::int64_t left = cut(rank + 1) - cut(rank); left > 0;) {
        stream.read(buffer.data(), std::min<std::int64_t>(left, static_cast<std::int64_t>(buffer.size())));
        if (stream.gcount() == 0)
          throw Error(Category::input, path.string(), "the file became shorter while it was read",
                      "do not write to an input during a run");
        digest.update(std::as_bytes(std::span(buffer.data(), static_cast<std::size_t>(stream.gcount()))));
        left -= stream.gcount();
      }
    }
    digest = communicator.broadcast_value(digest, rank);
  }
  return digest.hex();
}

}  // namespace tempera
