#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/tensor/csf_set.hpp"
#include "core/tensor/factor_matrix.hpp"
#include "core/tensor/mttkrp.hpp"

namespace tempera {

/// MTTKRPs of sparse trees in a sequence of sweeps that updates the modes in order: two neighbouring modes share a pass.
///
/// The first two modes of a tree need the same sums over everything below their nodes. Where such a pair of modes is updated
/// one after the other (the last and the first are neighbours too) and its nodes hold many nonzeros each, the sums are
/// kept: the first of the two makes them in one pass over the nonzeros, the second reads one row a node instead.
///
/// The sums remember the versions of the factors they were made of and are stale as soon as one of them has moved. Both modes
/// always take them, whether they were kept or have to be made, so that the bits do not depend on what was kept.
/// Li et al. 2017 (AdaTM); Kurt et al. 2022 (STeF).
class FibreProducts {
 public:
  FibreProducts(const CsfSet& trees, Index rank);

  /// result = MTTKRP of `mode`; see mttkrp in core/tensor/mttkrp.hpp.
  /// @param versions  one a factor; different from that of the last call where the factor has moved since
  /// @param progress  as there, for modes that do not share a pass
  void mttkrp(std::span<const FactorMatrix> factors, std::span<const std::uint64_t> versions, int mode,
              FactorMatrix& result, int threads = 1, const RowProgress* progress = nullptr);

  /// The two modes that share their pass, the root of the tree first; none where it would not pay or would take more memory
  /// than the trees.
  std::optional<std::pair<int, int>> shared_modes() const;
  /// Memory of the sums that are kept at this rank.
  static std::int64_t bytes(const CsfSet& trees, Index rank);
  /// How often the sums were made since the construction.
  Index passes() const { return passes_; }

 private:
  void derive_root(const FactorMatrix& inner, FactorMatrix& result, int threads) const;
  void derive_inner(const FactorMatrix& root, FactorMatrix& result) const;

  const CsfSet& trees_;
  const CsfTensor* tree_ = nullptr;  ///< whose first two modes share a pass
  FactorMatrix products_;            ///< allocated by the first pass
  Index rank_;
  std::vector<std::uint64_t> versions_;
  bool filled_ = false;
  Index passes_ = 0;
};

}  // namespace tempera
