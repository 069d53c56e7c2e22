#include "distributed/communicator/process_grid.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/base/contract.hpp"
#include "core/base/error.hpp"

namespace tempera {

namespace {

int checked_size(const Communicator& communicator, std::span<const int> extents) {
  std::int64_t size = 1;
  for (int extent : extents) {
    if (extent < 1)
      throw Error(Category::usage, "--grid", fmt::format("extent {} in {}", extent, fmt::join(extents, "x")));
    size *= extent;
    if (size > communicator.size())
      throw Error(Category::usage, "--grid",
                  fmt::format("grid {} needs more than the {} MPI ranks of this run", fmt::join(extents, "x"),
                              communicator.size()),
                  "give a grid whose extents multiply to the number of ranks, or --grid auto");
  }
  return static_cast<int>(size);
}

}  // namespace

ProcessGrid::ProcessGrid(const Communicator& communicator, std::vector<int> extents)
    : all_(communicator),
      extents_(std::move(extents)),
      size_(checked_size(communicator, extents_)),
      active_(communicator.rank() < size_),
      active_ranks_(communicator.split(active_ ? 0 : -1, 0)) {
  for (int mode = 0; mode < order(); ++mode) {
    if (active_) coordinates_.push_back(coordinate_of(communicator.rank(), mode));
    layers_.push_back(communicator.split(active_ ? coordinates_.back() : -1, 0));
  }
}

int ProcessGrid::rank_at(std::span<const int> coordinates) const {
  TEMPERA_EXPECTS(coordinates.size() == extents_.size());
  int rank = 0;
  for (std::size_t mode = extents_.size(); mode-- > 0;) rank = rank * extents_[mode] + coordinates[mode];
  return rank;
}

int ProcessGrid::coordinate_of(int rank, int mode) const {
  for (int m = 0; m < mode; ++m) rank /= extents_[static_cast<std::size_t>(m)];
  return rank % extents_[static_cast<std::size_t>(mode)];
}

}  // namespace tempera
