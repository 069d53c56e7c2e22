#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/base/index.hpp"
#include "core/base/random_stream.hpp"
#include "core/sampling/transform.hpp"

namespace tempera {

/// A named array of parameters as its author knows it. An empty shape is a scalar. A transform of vectors (matrices)
/// applies to the last mode (two modes) and is repeated over the ones before.
struct ParameterBlock {
  std::string name;
  std::vector<Index> shape = {};
  Transform transform = {};
};

/// Of one entry of a block, as people write it: "beta[2,1]", places from 1; a scalar is its name.
/// @pre 0 ≤ entry < entries of the block
std::string entry_name(const ParameterBlock& block, Index entry);

/// Where the entries of all blocks lie: u and θ are the blocks one after the other, each row-major. A covector of θ is
/// pulled back to u by the chain rule. Nothing is allocated but by the constructor and unconstrain().
class ParameterLayout {
 public:
  /// @throws Error{Category::input} for an empty or repeated name, naming it;
  ///         Error{Category::shape} for a size below 1 and for a shape that the transform cannot have, naming the block
  explicit ParameterLayout(std::vector<ParameterBlock> blocks);

  const std::vector<ParameterBlock>& blocks() const { return blocks_; }
  /// Entries of u.
  Index dimension() const { return dimension_; }
  /// Entries of θ.
  Index constrained_size() const { return constrained_size_; }
  /// Position of a block's first entry in θ. @pre 0 ≤ block < blocks().size()
  Index constrained_offset(Index block) const;

  /// Writes θ(u), constrained_size() entries, and returns log |J|.
  double constrain(std::span<const double> u, std::span<double> theta) const;
  /// The inverse.
  /// @throws Error{Category::input} naming the block if θ lies outside its support or on the boundary
  void unconstrain(std::span<const double> theta, std::span<double> u) const;
  /// Turns a draw of θ into a draw of u: the inverse, with the length that a unit vector leaves open drawn from its
  /// distribution. False if the draw was rounded to the boundary of its support (draw again). Allocates nothing.
  bool unconstrain_draw(std::span<const double> theta, RandomStream& stream, std::span<double> u) const;
  /// u_gradient = (∂θ/∂u)ᵀ theta_gradient, overwritten. @param theta θ(u)
  void pull_back(std::span<const double> u, std::span<const double> theta, std::span<const double> theta_gradient,
                 std::span<double> u_gradient) const;
  /// u_gradient += ∂ log|J|/∂u. @param theta θ(u)
  void add_jacobian_gradient(std::span<const double> u, std::span<const double> theta,
                             std::span<double> u_gradient) const;

 private:
  /// One call of a transform: all of a block that is mapped entry by entry, else one vector or matrix of it.
  struct Piece {
    Transform transform;
    std::size_t u_offset;
    std::size_t u_size;
    std::size_t theta_offset;
    std::size_t theta_size;
    std::size_t block;
  };

  void append(std::size_t block);

  std::vector<ParameterBlock> blocks_;
  std::vector<Piece> pieces_;
  std::vector<Index> constrained_offsets_;
  Index dimension_ = 0;
  Index constrained_size_ = 0;
};

}  // namespace tempera
