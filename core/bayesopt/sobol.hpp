#pragma once

#include <Eigen/Core>
#include <array>
#include <cstdint>
#include <vector>

#include "core/base/index.hpp"
#include "core/base/random_stream.hpp"

namespace tempera {

/// Scrambled Sobol points: evenly spread over the unit cube, each of them uniform in it. Every 2^k points from a multiple
/// of 2^k on have one point in each of the 2^k equal intervals of every coordinate. Depends only on (seed, purpose, number),
/// and point i only on these and i, however the points are asked for.
///
/// Boost.Random's direction numbers; the scrambling is a random lower triangular matrix of bits with ones on its diagonal
/// and a digital shift, one of each a coordinate (Matoušek 1998), which has the variance of Owen's.
class ScrambledSobol {
 public:
  static constexpr Index kMaxDimensions = 3667;
  static constexpr Index kMaxPoints = Index{1} << 32;

  /// @throws Error{usage} for more coordinates than there are direction numbers for
  /// @pre dimensions ≥ 1
  ScrambledSobol(Index dimensions, std::uint64_t seed, RandomPurpose purpose, Index number = 0);

  Index dimensions() const { return std::ssize(coordinates_); }
  /// Points first … first + count − 1 in (0, 1)^d, one a column.
  /// @pre 0 ≤ first, 0 ≤ count, first + count ≤ kMaxPoints
  Eigen::MatrixXd points(Index first, Index count) const;
  /// The same points through the quantile function of the standard normal distribution.
  Eigen::MatrixXd normals(Index first, Index count) const;

 private:
  /// The matrix as sums of columns for every value of each of the four bytes.
  struct Coordinate {
    std::array<std::array<std::uint32_t, 256>, 4> columns;
    std::uint32_t shift;
  };
  std::uint32_t scramble(const Coordinate& coordinate, std::uint32_t bits) const;

  std::vector<Coordinate> coordinates_;
};

}  // namespace tempera
