#pragma once

#include <span>
#include <vector>

#include "distributed/communicator/communicator.hpp"

namespace tempera {

/// N-D Cartesian grid of MPI ranks, p_0 × … × p_{N−1}, mode 0 fastest: rank = Σ coordinate[n] · Π_{m<n} p_m.
///
/// The grid may be smaller than the communicator: the ranks from size() on are left out (active() is false; they hold
/// no layers and no part of the data, and only take part in operations of the whole communicator).
class ProcessGrid {
 public:
  /// Collective over `communicator`.
  /// @throws Error{usage} when the product of the extents exceeds the number of ranks or an extent is below 1
  ProcessGrid(const Communicator& communicator, std::vector<int> extents);

  int order() const { return static_cast<int>(extents_.size()); }
  const std::vector<int>& extents() const { return extents_; }
  /// Number of active ranks: the product of the extents.
  int size() const { return size_; }
  bool active() const { return active_; }
  /// Position of this rank along a mode. @pre active()
  int coordinate(int mode) const { return coordinates_[static_cast<std::size_t>(mode)]; }
  /// Rank at a position.
  int rank_at(std::span<const int> coordinates) const;
  /// Position of a rank < size() along a mode.
  int coordinate_of(int rank, int mode) const;

  /// All ranks, the left-out ones included.
  const Communicator& all() const { return all_; }
  /// Active ranks only. @pre active()
  const Communicator& active_ranks() const { return active_ranks_; }
  /// Layer of a mode: the P/p_mode active ranks with the same coordinate along it, ordered by rank. @pre active()
  const Communicator& layer(int mode) const { return layers_[static_cast<std::size_t>(mode)]; }

 private:
  Communicator all_;
  std::vector<int> extents_;
  int size_ = 1;
  bool active_ = false;
  std::vector<int> coordinates_;
  Communicator active_ranks_;
  std::vector<Communicator> layers_;
};

}  // namespace tempera
