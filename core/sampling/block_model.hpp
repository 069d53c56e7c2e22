#pragma once

#include <span>
#include <vector>

#include "core/sampling/model.hpp"

namespace tempera {

/// A model whose log-likelihood is made of sums over blocks of data, in a number and order that do not depend on which
/// process computes them: several processes may each hold some of the blocks and give the same bits as one that holds all.
///
/// A block yields a piece, some numbers; combine() makes the likelihood of the pieces of all blocks. log_likelihood() does
/// both, where all blocks are here. distributed/tempering/group_target.hpp does it over a group of ranks.
class BlockModel : public Model {
 public:
  /// Of the whole data, the same wherever a part of it is held.
  virtual Index blocks() const = 0;
  /// Blocks that are held here: [first_block(), end_block()).
  virtual Index first_block() const = 0;
  virtual Index end_block() const = 0;
  /// Numbers in the piece of any block, held here or not.
  virtual Index piece_size(Index block, bool gradient) const = 0;

  /// The pieces of all blocks that are here, one after the other.
  /// @param gradient  with what the gradient needs
  virtual void compute_pieces(std::span<const double> theta, bool gradient, std::span<double> pieces) = 0;
  /// Log likelihood and, unless `gradient` is empty, ∂/∂θ. Does not ask for any data.
  /// @param pieces  one a block, in their order
  virtual double combine(std::span<const double> theta, std::span<const std::span<const double>> pieces,
                         std::span<double> gradient) = 0;

  /// Where prior and likelihood have discrete symmetries: moves θ to the one of its images that stands for all of them, so
  /// that draws can be compared entry by entry. The density stays as it is but for rounding.
  virtual void choose_representative(std::span<double>) const {}

  /// @pre all blocks are here
  double log_likelihood(std::span<const double> theta, std::span<double> gradient) final;

 private:
  std::vector<double> values_;
  std::vector<std::span<const double>> pieces_;
};

/// Numbers in the pieces of the blocks [first, end).
Index piece_sizes(const BlockModel& model, Index first, Index end, bool gradient);

/// Sum along a fixed binary tree over the positions: halves of the range, the first one shorter where it is odd.
double tree_sum(std::span<const double> values);

}  // namespace tempera
