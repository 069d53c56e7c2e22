#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "core/base/contract.hpp"
#include "core/io/detail/hdf5_handle.hpp"
#include "core/io/hdf5_file.hpp"

namespace tempera {

using detail::Hdf5Handle;
using detail::Hdf5Output;

namespace {
constexpr Index kBufferCells = Index{1} << 18;
constexpr Index kChunkCells = Index{1} << 15;

/// About cubic chunks: the longest edge is halved until the chunk is small enough for the library's cache.
std::vector<Index> chunk_shape(std::vector<Index> chunk) {
  while (std::accumulate(chunk.begin(), chunk.end(), 1.0, [](double cells, Index size) {
           return cells * static_cast<double>(size);
         }) > static_cast<double>(kChunkCells)) {
    auto longest = std::max_element(chunk.begin(), chunk.end());
    *longest = (*longest + 1) / 2;
  }
  return chunk;
}
}  // namespace

void write_hdf5(const std::filesystem::path& path, const DenseTensor& tensor, const std::string& object) {
  check_shape(tensor.shape(), true);
  Hdf5Output output(path, 8 * static_cast<double>(tensor.size()) + detail::kHdf5Overhead);
  {
    const Hdf5Handle dataset =
        output.create_dataset(object, H5T_IEEE_F64LE, tensor.shape(), chunk_shape(tensor.shape()));
    std::vector<double> slab;
    detail::for_each_slab(
        tensor.shape(), kBufferCells, [&](std::span<const Index> first, std::span<const Index> count) {
          slab.clear();
          std::vector<Index> cell(first.begin(), first.end());
          const auto cells =
              static_cast<std::size_t>(std::accumulate(count.begin(), count.end(), Index{1}, std::multiplies<>()));
          while (slab.size() < cells) {
            slab.push_back(tensor(cell));
            for (std::size_t mode = count.size(); mode-- > 0;) {
              if (++cell[mode] < first[mode] + count[mode]) break;
              cell[mode] = first[mode];
            }
          }
          output.write_rows(dataset, H5T_NATIVE_DOUBLE, first, count, slab.data());
        });
    output.flush();
  }
  output.commit();
}

void write_hdf5(const std::filesystem::path& path, const SparseTensor& tensor, const std::string& object) {
  const Index order = tensor.order(), nonzeros = tensor.nonzeros();
  Hdf5Output output(path, 8 * static_cast<double>(order + 1) * static_cast<double>(nonzeros) + detail::kHdf5Overhead);
  {
    const Hdf5Handle group = output.create_group(object);
    output.write_attribute(group, "index_base", Index{0});
    const Index index_shape[2] = {nonzeros, order};
    const Hdf5Handle indices = output.create_dataset(object + "/indices", H5T_STD_I64LE, index_shape);
    const Hdf5Handle values = output.create_dataset(object + "/values", H5T_IEEE_F64LE, {index_shape, 1});
    const Hdf5Handle shape = output.create_dataset(object + "/shape", H5T_STD_I64LE, {index_shape + 1, 1});
    const Index zero[2] = {0, 0};
    output.write_rows(shape, H5T_NATIVE_INT64, {zero, 1}, {index_shape + 1, 1}, tensor.shape().data());
    std::vector<Index> rows;
    for (Index done = 0; done < nonzeros;) {
      const Index part = std::min(nonzeros - done, kBufferCells / order);
      rows.resize(static_cast<std::size_t>(part * order));
      for (Index mode = 0; mode < order; ++mode) {
        const auto column = tensor.indices(static_cast<int>(mode))
                                .subspan(static_cast<std::size_t>(done), static_cast<std::size_t>(part));
        for (std::size_t k = 0; k < column.size(); ++k)
          rows[k * static_cast<std::size_t>(order) + static_cast<std::size_t>(mode)] = column[k];
      }
      const Index first[2] = {done, 0}, count[2] = {part, order};
      output.write_rows(indices, H5T_NATIVE_INT64, first, count, rows.data());
      output.write_rows(values, H5T_NATIVE_DOUBLE, {first, 1}, {count, 1}, tensor.values().data() + done);
      done += part;
    }
    output.flush();
  }
  output.commit();
}

struct KruskalWriter::State {
  Hdf5Output output;
  std::vector<Index> shape;
  Index rank;
  std::vector<Hdf5Handle> factors;
  std::vector<Index> rows_written;

  State(const std::filesystem::path& path, std::span<const Index> sizes, Index columns)
      : output(path,
               8 * static_cast<double>(columns) * std::accumulate(sizes.begin(), sizes.end(), 0.0) + detail::kHdf5Overhead),
        shape(sizes.begin(), sizes.end()),
        rank(columns),
        rows_written(sizes.size(), 0) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { output.abandon(); }  // before the datasets close; without effect after commit
};

KruskalWriter::KruskalWriter(const std::filesystem::path& path, std::span<const Index> shape, Index nonzeros,
                             std::span<const double> weights)
    : state_(std::make_unique<State>(path, shape, static_cast<Index>(weights.size()))) {
  TEMPERA_EXPECTS(!weights.empty());
  const Hdf5Output& output = state_->output;
  const Index zero = 0;
  const Hdf5Handle lambda = output.create_dataset("/lambda", H5T_IEEE_F64LE, {&state_->rank, 1});
  output.write_rows(lambda, H5T_NATIVE_DOUBLE, {&zero, 1}, {&state_->rank, 1}, weights.data());
  const Hdf5Handle tensor = output.create_group("/tensor");
  output.write_attribute(tensor, "shape", shape);
  output.write_attribute(tensor, "nnz", nonzeros);
  for (std::size_t mode = 0; mode < shape.size(); ++mode) {
    const Index sizes[2] = {shape[mode], state_->rank};
    state_->factors.push_back(output.create_dataset(fmt::format("/factors/{}", mode), H5T_IEEE_F64LE, sizes));
  }
}

KruskalWriter::KruskalWriter(KruskalWriter&&) noexcept = default;
KruskalWriter::~KruskalWriter() = default;

void KruskalWriter::append_rows(int mode, Index first_row, std::span<const double> rows) {
  const auto n = static_cast<std::size_t>(mode);
  const Index count = static_cast<Index>(rows.size()) / state_->rank;
  TEMPERA_EXPECTS(count * state_->rank == static_cast<Index>(rows.size()));
  TEMPERA_EXPECTS(first_row == state_->rows_written[n] && first_row + count <= state_->shape[n]);
  if (count == 0) return;
  const Index first[2] = {first_row, 0}, sizes[2] = {count, state_->rank};
  state_->output.write_rows(state_->factors[n], H5T_NATIVE_DOUBLE, first, sizes, rows.data());
  state_->rows_written[n] += count;
}

void KruskalWriter::append_rows(int mode, Index first_row, const FactorMatrix& rows) {
  TEMPERA_EXPECTS(rows.columns() == state_->rank);
  const Index most = std::max<Index>(kBufferCells / state_->rank, 1);
  std::vector<double> packed;
  for (Index done = 0; done < rows.rows();) {
    const Index part = std::min(most, rows.rows() - done);
    packed.clear();
    for (Index i = done; i < done + part; ++i) packed.insert(packed.end(), rows.row(i), rows.row(i) + rows.columns());
    append_rows(mode, first_row + done, packed);
    done += part;
  }
}

void KruskalWriter::commit() {
  TEMPERA_EXPECTS(state_->rows_written == state_->shape);
  state_->output.flush();
  state_->factors.clear();
  state_->output.commit();
}

}  // namespace tempera
