#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/base/contract.hpp"
#include "core/io/detail/block_checks.hpp"
#include "core/io/detail/hdf5_handle.hpp"
#include "core/io/hdf5_file.hpp"
#include "core/io/kruskal_file.hpp"
#include "core/tensor/sparse_tensor.hpp"

namespace tempera {

using detail::Hdf5Handle;
using detail::Hdf5Input;

namespace {
constexpr Index kBufferCells = Index{1} << 17;
}

struct KruskalFile::State {
  std::filesystem::path path;
  Hdf5Input input;
  std::vector<double> weights;
  std::vector<Hdf5Handle> factors;
  std::vector<Index> shape;

  explicit State(const std::filesystem::path& file) : path(file), input(file) {}
};

KruskalFile::KruskalFile(const std::filesystem::path& path) : state_(std::make_unique<State>(path)) {
  State& state = *state_;
  state.weights = state.input.read_reals("/lambda");
  for (int mode = 0; mode < kMaximumOrder; ++mode) {
    const std::string name = fmt::format("/factors/{}", mode);
    if (mode >= kMinimumOrder && !state.input.exists(name)) break;
    Hdf5Handle dataset = state.input.open_dataset(name);
    const auto sizes = detail::hdf5_shape(dataset);
    if (sizes.size() != 2 || sizes[1] != rank() || !detail::is_hdf5_number(dataset, false))
      throw state.input.error(name, fmt::format("is not a matrix of {} columns, one a weight of /lambda", rank()),
                              "write the model again");
    state.input.check_written(dataset, name, Hdf5Input::Completeness::whole);
    state.shape.push_back(sizes[0]);
    state.factors.push_back(std::move(dataset));
  }
}

KruskalFile::KruskalFile(KruskalFile&&) noexcept = default;
KruskalFile::~KruskalFile() = default;

const std::vector<Index>& KruskalFile::shape() const {
  return state_->shape;
}

const std::vector<double>& KruskalFile::weights() const {
  return state_->weights;
}

void KruskalFile::rows(int mode, std::span<const Index> wanted, FactorMatrix& rows) const {
  TEMPERA_EXPECTS(std::ssize(wanted) == rows.rows() && rows.columns() == rank());
  const Hdf5Handle& dataset = state_->factors[static_cast<std::size_t>(mode)];
  const std::string name = fmt::format("/factors/{}", mode);
  std::vector<std::size_t> order(wanted.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return wanted[a] < wanted[b]; });
  const Index most = std::max<Index>(1, kBufferCells / std::max<Index>(1, rank()));
  std::vector<double> buffer;
  for (std::size_t begin = 0; begin < order.size();) {
    const Index first = wanted[order[begin]];
    std::size_t end = begin;
    while (end < order.size() && wanted[order[end]] < first + most) ++end;
    const Index count = wanted[order[end - 1]] - first + 1;
    buffer.resize(static_cast<std::size_t>(count * rank()));
    const hsize_t start[2] = {static_cast<hsize_t>(first), 0},
                  sizes[2] = {static_cast<hsize_t>(count), static_cast<hsize_t>(rank())};
    const Hdf5Handle memory(H5Screate_simple(2, sizes, nullptr)), space(H5Dget_space(dataset));
    H5Sselect_hyperslab(space, H5S_SELECT_SET, start, nullptr, sizes, nullptr);
    state_->input.read(dataset, name, H5T_NATIVE_DOUBLE, memory, space, buffer.data());
    for (; begin < end; ++begin) {
      const double* row = buffer.data() + (wanted[order[begin]] - first) * rank();
      if (!std::all_of(row, row + rank(), [](double value) { return std::isfinite(value); }))
        throw state_->input.error(name, fmt::format("row {} holds a value that is not finite", wanted[order[begin]]),
                                  "write the model again");
      std::copy_n(row, rank(), rows.row(static_cast<Index>(order[begin])));
    }
  }
}

KruskalTensor read_hdf5_kruskal(const std::filesystem::path& path) {
  const KruskalFile file(path);
  KruskalTensor model;
  model.weights = file.weights();
  for (std::size_t mode = 0; mode < file.shape().size(); ++mode) {
    const Index size = file.shape()[mode];
    detail::check_block_memory(fmt::format("{}:/factors/{}", path.string(), mode),
                               8 * static_cast<double>(size) * static_cast<double>(model.rank()));
    FactorMatrix& factor = model.factors.emplace_back(size, model.rank());
    std::vector<Index> all(static_cast<std::size_t>(size));
    std::iota(all.begin(), all.end(), Index{0});
    file.rows(static_cast<int>(mode), all, factor);
  }
  return model;
}

}  // namespace tempera
