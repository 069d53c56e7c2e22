#pragma once

#include <span>
#include <vector>

#include "core/base/index.hpp"

namespace tempera {

/// The chains of one ladder and their inverse temperatures β.
///
/// One leg leads from the reference to the target: β = 0 … 1. With two, the second leads on from the target to another
/// reference: β = 1 … 0 on a path of its own (Surjanovic et al. 2022, stabilised): two chains at the target, of which one
/// is never far from the prior, and the other never far from the fitted reference. A single chain is at the target.
class LadderPlan {
 public:
  /// @param sizes  chains of each leg; one or two legs, two chains each at least if there are two legs
  explicit LadderPlan(std::vector<Index> sizes);

  Index chains() const { return static_cast<Index>(betas_.size()); }
  int legs() const { return static_cast<int>(sizes_.size()); }
  std::span<const Index> sizes() const { return sizes_; }
  Index size(int leg) const { return sizes_[static_cast<std::size_t>(leg)]; }
  Index first(int leg) const { return leg == 0 ? 0 : sizes_[0]; }

  int leg(Index chain) const { return chain < sizes_[0] ? 0 : 1; }
  double beta(Index chain) const { return betas_[static_cast<std::size_t>(chain)]; }
  std::span<const double> betas() const { return betas_; }
  bool is_reference(Index chain) const { return beta(chain) == 0; }
  bool is_target(Index chain) const { return chain == sizes_[0] - 1 || (legs() == 2 && chain == sizes_[0]); }

  /// β of one leg, increasing.
  std::vector<double> leg_betas(int leg) const;
  /// The same with other sizes, legs cut to equal rejection (see equal_rejection_schedule).
  /// @param rejections  of each pair of neighbouring chains
  LadderPlan recut(std::span<const double> rejections, std::vector<Index> sizes) const;
  /// From sizes and betas that were stored.
  LadderPlan(std::vector<Index> sizes, std::vector<double> betas);

 private:
  std::vector<Index> sizes_;
  std::vector<double> betas_;
};

}  // namespace tempera
