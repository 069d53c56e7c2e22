#include "distributed/tensor/nonzero_partition.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "core/base/error.hpp"
#include "distributed/tensor/candidate_parts.hpp"
#include "distributed/tensor/partition_search.hpp"

namespace tempera {

namespace {

void extend_candidates(int ranks, std::span<const Index> limits, std::vector<int>& prefix,
                       std::vector<std::vector<int>>& found) {
  const std::size_t mode = prefix.size();
  if (mode + 1 == limits.size()) {
    if (ranks <= limits[mode]) {
      found.push_back(prefix);
      found.back().push_back(ranks);
    }
    return;
  }
  for (int extent = 1; extent <= ranks; ++extent)
    if (ranks % extent == 0 && extent <= limits[mode]) {
      prefix.push_back(extent);
      extend_candidates(ranks / extent, limits, prefix, found);
      prefix.pop_back();
    }
}

std::vector<std::vector<int>> candidates(int most_ranks, std::span<const Index> shape, const std::vector<int>& grid) {
  if (grid.empty()) {
    for (int ranks = most_ranks; ranks > 1; --ranks)
      if (auto found = grid_candidates(ranks, shape); !found.empty()) return found;
    return {std::vector<int>(shape.size(), 1)};
  }
  check_grid(shape, grid);
  return {grid};
}

}  // namespace

double reachable_balance(Index nonzeros, int ranks) {
  return std::max(kGoodBalance, 1 + std::sqrt(2 * std::log(ranks) * ranks / static_cast<double>(nonzeros)));
}

int grid_ranks(const std::vector<int>& grid) {
  return std::accumulate(grid.begin(), grid.end(), 1, std::multiplies<>());
}

void check_grid(std::span<const Index> shape, const std::vector<int>& grid) {
  if (grid.size() != shape.size())
    throw Error(Category::usage, "--grid",
                fmt::format("{} extents for a tensor of order {}", grid.size(), shape.size()),
                "give one extent a mode, such as 2x2x1");
  for (std::size_t mode = 0; mode < shape.size(); ++mode)
    if (grid[mode] > shape[mode])
      throw Error(Category::usage, "--grid",
                  fmt::format("extent {} exceeds the size {} of mode {}", grid[mode], shape[mode], mode),
                  "use smaller extents in short modes, or --grid auto");
}

std::vector<std::vector<int>> grid_candidates(int ranks, std::span<const Index> limits) {
  std::vector<std::vector<int>> found;
  std::vector<int> prefix;
  extend_candidates(ranks, limits, prefix, found);
  return found;
}

PartitionChooser::PartitionChooser(const Communicator& communicator, std::span<const Index> shape,
                                   std::span<const SparseTensor> blocks)
    : communicator_(communicator), shape_(shape.begin(), shape.end()), blocks_(blocks) {
  for (const SparseTensor& block : blocks) nonzeros_ += block.nonzeros();
  nonzeros_ = communicator.all_reduce_value(nonzeros_, Reduction::sum);
}

PartitionChooser::~PartitionChooser() = default;

NonzeroPartition PartitionChooser::choose(int ranks, const std::vector<int>& grid, Index most_sampled) {
  auto grids = candidates(ranks, shape_, grid);
  if (grid_ranks(grids.front()) == 1 || nonzeros_ == 0) {
    NonzeroPartition trivial;
    trivial.grid = grids.front();
    trivial.nonzeros = nonzeros_;
    for (std::size_t mode = 0; mode < shape_.size(); ++mode) {
      trivial.modes.push_back(ModeParts::whole(shape_[mode]));
      const std::vector<Index> weights(static_cast<std::size_t>(trivial.modes[mode].bins()), 0);
      trivial.modes[mode].cut(weights, trivial.grid[mode]);
    }
    return trivial;
  }
  if (!parts_) parts_ = std::make_unique<CandidateParts>(shape_, communicator_, blocks_, nonzeros_);
  const double good = reachable_balance(nonzeros_, grid_ranks(grids.front()));
  return PartitionSearch(communicator_, blocks_, *parts_, std::move(grids), good, most_sampled).find();
}

NonzeroPartition choose_partition(const Communicator& communicator, std::span<const Index> shape,
                                  std::span<const SparseTensor> blocks, const std::vector<int>& grid) {
  return PartitionChooser(communicator, shape, blocks).choose(communicator.size(), grid);
}

}  // namespace tempera
